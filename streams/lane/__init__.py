"""The batch lane: everything that touches Faust.  One poll of all sources becomes one stream item and one engine pass."""
