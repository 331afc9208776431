"""Entry point of every rerun: who is here, then the frame, then the page.

No page runs before the session has been looked up. `st.navigation` is always called, because until its first call in a
process Streamlit would serve a folder `pages/` beside this file on its own; that is also why `pages/` lies elsewhere.
"""

from pathlib import Path

import streamlit as st

from app.ui import frame, navigation, page_style, sign_in, visit

FAVICON = Path(__file__).parent / "static" / "favicon.png"


def run() -> None:
    """One rerun."""
    st.set_page_config(page_title="Account intelligence", page_icon=str(FAVICON), layout="wide")
    try:
        here = visit.begin()
    except Exception as error:
        # Without the database nobody can be recognised: say so at whatever address was opened.
        navigation.for_visitor(lambda: None)
        with st.container(horizontal_alignment="center"), st.container(width=720):
            st.space("large")
            st.markdown("# Account intelligence", anchors=False)
            frame.explain(error)
        return
    if here is None:
        navigation.for_visitor(sign_in.show).run()
        return
    page = navigation.for_user(here.identity)
    page_style.mount()
    with st.container(horizontal_alignment="center"), st.container(width=1360, gap="small"):
        if not st.context.is_embedded:
            navigation.bar(here.identity)
        page.run()


run()
