"""Texts that every runtime must answer alike: 66 written for this test, and the project's test headlines.

Where two runtimes differ in the last bit of a float, rounding to int8 makes another score of it for one
headline in twenty, but hardly for the 66, which are short: none or one of them (benchmarks/log.md).
"""

from __future__ import annotations

import csv

from finsent import REPOSITORY

HEADLINES = [
    "Operating profit rose to EUR 8.1 mn from EUR 5.4 mn a year earlier.",
    "Net loss narrowed to USD 2 million from USD 9 million.",
    "Shares fall after the company cuts its full-year outlook",
    "The annual report will be published on 3 March.",
    "Profit warning hotline opens",
    "Sales were flat in the quarter.",
    "Broker raises target to Rs 450 from Rs 390, keeps buy",
    "Rupee ends at 83.21 a dollar",
    "Regulator fines lender 40m for late filings",
    "Order worth SEK 120 million lifts backlog to a record",
    "Is the rally over?",
    "Costs fell, but sales fell faster.",
    "Dividend cut to EUR 0.10 a share from EUR 0.25",
    "Plant in Tampere to close, 140 jobs go",
    "Merger talks continue",
]
CASHTAGS = [
    "$QRVX beats on top and bottom line",
    "$QRVX and $LMTZ both down 5% premarket",
    "costs $5 and earns $7",
    "$ alone, $5, $AAPL.N",
    "$qrvx lower case",
]
LINKS = [
    "Profit up https://t.co/Ab3kQ9xZtR",
    "https://t.co/Ab3kQ9xZtR",
    "Read http://example.org/a?b=c&d=e#f now",
    "two https://a.b https://c.d links",
    "no link: https:// alone",
]
EMOJI = [
    "🚀🚀🚀 to the moon",
    "📉 sell everything",
    "up 👍🏽 today",
    "🇫🇮 exports grow",
    "👨‍👩‍👧‍👦 insurer gains",
]
CJK = [
    "利益が増えた",
    "公司净利润下降",
    "중앙은행이 금리를 올렸다",
    "株価は横ばい mixed with English",
    "臺灣 exports up",
]
OTHER_SCRIPTS = [
    "Прибыль выросла",
    "Ο κύκλος εργασιών μειώθηκε",
    "ارتفع الربح",
    "कंपनी का मुनाफा बढ़ा",
    "กำไรเพิ่มขึ้น",
]
ACCENTS = [
    "Zürich bank gains",
    "Señal of growth at Peñoles-like miner",
    "Çelik façade naïve coöperate",
    "ŁÓDŹ plant",
    "ﬁnancial ﬂow",
]
LONG = [
    "The company said that profit rose. " * 150,  # 900 words of English
    "한" * 400,
    "x" * 3000,
    "loss " * 600,
    "🙂" * 800,
]
STRANGE = [
    "",
    " ",
    "\t\n",
    "\x00\x01\x02",
    "a\u200bb\u200dc",
    "...",
    "12345",
    "%",
    "\u00a0",
    "A" * 120,
]
MARKS = [  # what tokenizers take for their own
    "profit </s> rose",
    "</s>",
    "sales </s></s> ",
    "<pad> shares <pad>",
    "<extra_id_0> fell <unk>",
    "[CLS] orders [SEP] [MASK]",
]

WRITTEN = [*HEADLINES, *CASHTAGS, *LINKS, *EMOJI, *CJK, *OTHER_SCRIPTS, *ACCENTS, *LONG, *STRANGE, *MARKS]


def _own_headlines() -> list[str]:
    with (REPOSITORY / "data" / "headlines" / "test.csv").open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


TEXTS = [*WRITTEN, *_own_headlines()[:234]]
