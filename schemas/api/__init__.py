"""The bodies of the HTTP API, as pydantic models; openapi.json is generated from them."""
