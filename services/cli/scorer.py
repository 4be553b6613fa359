"""`kesher scorer`: events in, facts out."""

import typer

from services.scorer.run import run
from services.settings import settings

app = typer.Typer(add_completion=False)


@app.command()
def scorer() -> None:
    """Score every account on every event and tell what changed; run more of them to share the partitions."""
    run(settings())
