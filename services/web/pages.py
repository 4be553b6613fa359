"""The few pages that people see before they are let in: plain, small, without scripts, in English and Hebrew."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.responses import HTMLResponse, Response

HERE = Path(__file__).parent
_templates = Environment(loader=FileSystemLoader(HERE), autoescape=select_autoescape(), trim_blocks=True)
_style = (HERE / "login.css").read_bytes()


def page(view: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`view` is enter (the button that logs in), spent (a link that no longer works) or closed (no session)."""
    html = _templates.get_template("login.html").render(view=view)
    return HTMLResponse(html, status, {"Cache-Control": "no-store", **(headers or {})})


def style() -> Response:
    """The style sheet of these pages."""
    return Response(_style, media_type="text/css", headers={"Cache-Control": "max-age=3600"})
