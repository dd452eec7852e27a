"""Looking for alarms, once each morning."""
