"""Where the files of the pages are, and what their formats are called on a button."""

from collections.abc import Mapping

import streamlit as st

from app.exports.formats import Format

FILES: Mapping[Format, str] = {Format.CSV: "CSV", Format.XLSX: "Excel", Format.PARQUET: "Parquet"}


def of(path: str) -> str:
    """Address of a file below the pages: `accounts.csv?view=all`."""
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{'/' + base if base else ''}/exports/{path}"
