"""The batch lane: everything that touches Faust.  One poll of all sources is one stream item and one engine pass."""
