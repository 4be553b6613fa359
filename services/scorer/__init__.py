"""The scorer process: settings -> engine -> lane."""
