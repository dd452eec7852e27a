"""What stands out: a surge, a ministry that falls behind, a district gone silent."""
