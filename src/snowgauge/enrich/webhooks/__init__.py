"""What the webhook adapters share: reading requests, checking signatures, reshaping JSON, building events."""
