"""Who takes turns with whom: a run waits while another one of its pool goes (`dagster.yaml`: one run per pool).

Every step names its pool, so that a run started in the interface from any selection of assets takes its turn too.
"""

WAREHOUSE = "warehouse"
"""Loads, builds, publications, suggestions: two builds of one mart would fight over its tables."""

TRACKER = "tracker"
"""What the application does with its own rows: needs no table that a build replaces, so it waits for none."""
