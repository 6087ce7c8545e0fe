"""The operator's web page: what it shows, and the server behind it.

`view` and what it uses are pure: a campaign's state and what was heard of the lab -> the JSON the page shows.
`server` is the application, `serve` its thread beside the daemon.  FastAPI and uvicorn are imported by that thread.
"""
