"""How a deployment is doing, in figures only: what the agent API tells a console that runs elsewhere.

Nothing of what an event says about a person or a page is in any answer. The only texts that come out of tables are the
keys that things are counted by: names and versions of events, schemas, trackers, applications, platforms and failure
types. Visitors choose those of trackers and applications, which are named from a smallest count on. A message of a
database or of a failure is not among them, because it may quote what it complains about.
"""
