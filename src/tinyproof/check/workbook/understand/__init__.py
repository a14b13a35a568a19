"""What a table is: headings, columns, the network that it trains."""
