"""What the start page of a fleet says."""

import html
import re

from .exporters import Exporter


def states(exporter: Exporter) -> dict[str, str]:
    """The state of each workload, in the order of the page."""
    return dict(re.findall(r'<b>([^<]+)</b> <span class="verdict">([^<]+)</span>', exporter.get("/").text))


def sentence(exporter: Exporter) -> str:
    """What it says first."""
    match = re.search(r'<p class="lead[^"]*">(.*)</p>', exporter.get("/").text)
    return html.unescape(re.sub(r"<[^>]*>", "", match.group(1))) if match else ""
