"""Believable names: companies with an industry's flavour, people of a country, towns. All domains end in .example."""

import random
import re
import unicodedata

from simulator.words import CITIES, FIRST, INDUSTRIES, LAST, LEGAL, ROOTS

COUNTRIES = {"GB": 0.62, "IE": 0.09, "DE": 0.10, "FR": 0.07, "NL": 0.06, "US": 0.06}
FREE_MAIL = ["freemail.example", "postbox.example", "webmail.example"]
LEGAL_FORM = re.compile(r"\b(Ltd|Group|Groep|plc|LLP|GmbH|AG|SAS|SARL|BV|NV|Inc|LLC|Corp|DAC|SA)\b\.?|& Co\b.*")


def language_of(country: str) -> str:
    """Which name list a country uses."""
    return country if country in FIRST else "EN"


def slug(text: str) -> str:
    """ASCII lower-case letters, digits and single hyphens."""
    plain = (
        unicodedata.normalize("NFKD", text.replace("ü", "ue").replace("ö", "oe").replace("ß", "ss"))
        .encode("ascii", "ignore")
        .decode()
        .lower()
    )
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def company(rng: random.Random, country: str, industry: str, taken: set[str]) -> tuple[str, str]:
    """A name and domain nobody has yet; adds the domain to `taken`."""
    language = language_of(country)
    roots = ROOTS.get(country, ROOTS["EN"])
    if country == "US" or rng.random() < 0.15:
        roots = roots + ROOTS["EN"]
    while True:
        root = rng.choice(roots).replace("-", " ") if rng.random() < 0.85 else rng.choice(ROOTS["EN"]).replace("-", " ")
        noun = rng.choice(INDUSTRIES[industry])
        shape = rng.random()
        if shape < 0.55:
            name = f"{root} {noun}"
        elif shape < 0.70:
            name = f"{root} {noun} {rng.choice(LEGAL[country])}"
        elif shape < 0.80:
            name = f"{rng.choice(LAST[language])} & {rng.choice(LAST[language])} {noun}"
        elif shape < 0.88:
            name = f"{rng.choice(CITIES[country])} {noun} {rng.choice(LEGAL[country])}"
        elif shape < 0.95:
            other = rng.choice(roots).replace("-", " ")
            name = f"{root} & {other}" if other != root else f"{root} & Partners"
        else:
            name = f"The {root} {noun} Company"
        host = slug(LEGAL_FORM.sub("", name))
        host = host.replace("the-", "", 1).replace("-", "") if len(host) < 22 else host
        domain = f"{host}.{country.lower()}.example" if country in ("DE", "FR", "NL") else f"{host}.example"
        if host and domain not in taken:
            taken.add(domain)
            return name, domain


def person(rng: random.Random, country: str) -> tuple[str, str]:
    """First and last name; one in twelve comes from elsewhere."""
    language = language_of(country) if rng.random() < 0.92 else rng.choice(list(FIRST))
    return rng.choice(FIRST[language]), rng.choice(LAST[language])


def email(first: str, last: str, domain: str, serial: int = 0) -> str:
    """first.last@domain, numbered when the address is taken."""
    tail = str(serial) if serial else ""
    return f"{slug(first)}.{slug(last)}{tail}@{domain}"
