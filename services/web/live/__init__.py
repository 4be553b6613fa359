"""Changes as they happen: from the fact topics to every open page, without a gap."""
