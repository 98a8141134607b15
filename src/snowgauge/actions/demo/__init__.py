"""Traffic of a shop that does not exist, for looking at a deployment that has no visitors yet.

``people`` come at times that ``calendar`` picks, and do in the ``shop`` what ``visits`` says; ``tracker`` puts it into
requests as Snowplow's JavaScript tracker sends them. ``traffic`` is all of it in order of time, ``seeding`` sends it
through the pipeline into the store, and takes it out again.
"""

APP_ID = "snowgauge-demo"
"""Application of every event that is made here, so that they can be told from others and taken out."""
