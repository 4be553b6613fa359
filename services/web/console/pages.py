"""The console's pages as text: templates filled with the words of a language."""

from services.web.console.assets import version
from services.web.console.catalogue import edition, templates, translations
from services.web.console.language import DIRECTIONS, NAMES

BANDS = ("red", "amber", "green", "unknown")
STAGES = ("awareness", "engagement", "evaluation", "purchase", "adoption", "advocacy", "won_back", "churned")
"""The default scorecard's; the page adds what a portfolio has besides."""
STATIC = "/console/static"
MESSAGES = "/console/messages"
CHART = "/console/chart.svg"


def portfolio_page(language: str, currency: str) -> str:
    """The portfolio's shell, which fills itself from the API; `currency` is the base currency's code."""
    words = translations(language)
    gettext = words.gettext
    return _page(
        "portfolio.html",
        language,
        currency=currency,
        messages=f"{MESSAGES}/{edition(language)}/{language}.json",
        chart=CHART,
        bands={band: words.pgettext("band", band) for band in BANDS},
        stages={stage: words.pgettext("stage", stage) for stage in STAGES},
        sorts={
            "score": gettext("Worst first"),
            "-score": gettext("Best first"),
            "-mrr": gettext("Highest MRR"),
            "renews_at": gettext("Next renewal"),
            "-changed_at": gettext("Latest change"),
            "name": gettext("Name"),
        },
    )


def _page(template: str, language: str, **parts: object) -> str:
    shell = {
        "language": language,
        "direction": DIRECTIONS[language],
        "directions": DIRECTIONS,
        "names": NAMES,
        "static": f"{STATIC}/{version()}",
    }
    return templates(language).get_template(template).render(shell | parts)
