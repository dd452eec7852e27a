"""The monthly return of each office: drawn from the history, frozen when it is submitted."""
