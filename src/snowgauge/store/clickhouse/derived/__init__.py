"""The modelled tables on ClickHouse."""
