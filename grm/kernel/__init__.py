"""What every package uses: clock, errors, actor, text, contact data, keys, database and transaction."""
