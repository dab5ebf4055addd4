"""SQL, derived datasets and dashboards."""
