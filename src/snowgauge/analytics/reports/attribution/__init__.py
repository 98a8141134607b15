"""Attribution: which touches conversions are owed to."""
