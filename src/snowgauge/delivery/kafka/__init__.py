"""The event log on Kafka, or on anything that speaks its protocol: collectors and workers on any number of machines.

The topics are Snowplow's: payloads on the good topic, the collector's own bad rows on the bad one. Workers are a
consumer group. What a partition's next owner has to know of batches in flight lies in the metadata of the group's
committed offset (``place``), and what they became in a third topic, to which that metadata points (``outcomes``).
"""
