"""Analytics data feeds: tab-separated files that an analytics product drops into a store."""

from collections.abc import Mapping
from typing import Any, ClassVar

from cdp.datasets.enums import FileFormat
from cdp.datasets.sources.files import Files


class AnalyticsDataFeed(Files):
    """Hits of a web analytics product."""

    kind = "analytics-data-feed"
    title = "Analytics data feed"
    description = "Hits that a web analytics product delivers as tab-separated files."
    category = "Analytics"
    latency = "the feed's own delay, as a rule an hour, and the flow's schedule"
    selection_schema: ClassVar[Mapping[str, Any]] = {
        **Files.selection_schema,
        "required": [],
        "properties": {
            **Files.selection_schema["properties"],
            "pattern": {"type": "string", "default": "*.tsv*"},
            "format": {"enum": [str(FileFormat.CSV)], "default": str(FileFormat.CSV)},
            "format_options": {
                "type": "object",
                "default": {},
                "description": "Such as `header`, for files whose first line names no columns.",
            },
        },
    }
    known_fields: ClassVar[Mapping[str, str]] = {
        "hitid": "_id",
        "date_time": "timestamp",
        "page_url": "web.webPageDetails.URL",
        "pagename": "web.webPageDetails.name",
        "referrer": "web.webReferrer.URL",
        "user_agent": "environment.browserDetails.userAgent",
        "campaign": "marketing.trackingCode",
        "purchaseid": "commerce.order.purchaseID",
        "currency": "commerce.order.currencyCode",
        "ip": "environment.ipV4",
    }

    def format_options(self, selection: Mapping[str, Any]) -> dict[str, Any]:
        return {"delimiter": "\t", "quote": "", **selection["format_options"]}
