"""The picture of many accounts at once: the portfolio as a map."""

import pandas as pd
import plotly.graph_objects as go

from app.ui import charts, columns, figures, words
from app.ui.health_charts import bands


def portfolio_map(accounts: pd.DataFrame, *, dark: bool, height: int = 452) -> go.Figure:
    """Health against days to renewal, size = MRR: one trace per band, so that band R keeps its diamonds.

    `accounts` needs account_key, account_name, health_score, health_band, days_to_renewal and mrr_eur. Rows without a
    score or a renewal date are not drawn. Each point carries its account_key as customdata, which a selection returns.
    """
    colours = charts.palette(dark)
    figure = charts.base(colours, height=height, left=30, bottom=40)
    drawn = accounts.dropna(subset=["health_score", "days_to_renewal"])
    bands(figure, colours, 0, 100)
    largest = max([1.0, *(value for value in columns.numbers(drawn, "mrr_eur") if value is not None)])
    # hundreds of points overlap: smaller and fainter ones still show where they gather
    crowd = min(1.0, max(0.4, (350 / max(len(drawn), 1)) ** 0.5))
    for letter in ("–", "G", "Y", "R"):
        rows = drawn[drawn["health_band"].map(words.band_letter) == letter]
        if not len(rows):
            continue
        figure.add_scatter(
            x=rows["days_to_renewal"].tolist(),
            y=rows["health_score"].astype(float).tolist(),
            mode="markers",
            marker={
                "color": colours.band(letter),
                "opacity": 0.3 + 0.32 * crowd,
                "symbol": "diamond" if letter == "R" else "circle",
                "size": [4 + 20 * crowd * (float(mrr) / largest) ** 0.5 for mrr in rows["mrr_eur"]],
                "line": {"width": 0},
            },
            customdata=[
                [key, charts.plain(name), figures.money(mrr).replace("\\", "")]
                for key, name, mrr in zip(rows["account_key"], rows["account_name"], rows["mrr_eur"], strict=True)
            ],
            hovertemplate="<b>%{customdata[1]}</b><br>health %{y:.0f} · renewal in %{x} d · %{customdata[2]} MRR"
            "<extra></extra>",
            name=words.BAND_NAMES[letter],
        )
    figure.update_xaxes(
        title={"text": "days to renewal", "standoff": 6},
        tickvals=[0, 90, 180, 270, 360],
        showline=True,
        ticks="outside",
        ticklen=4,
        range=[-10, 376],
        fixedrange=False,
    )
    figure.update_yaxes(range=[0, 102], tickvals=[0, 50, 75], showgrid=False, fixedrange=False)
    figure.update_layout(
        dragmode="select", selectdirection="any", newselection={"line": {"color": colours.accent, "width": 1}}
    )
    return figure
