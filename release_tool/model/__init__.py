"""What the tool speaks of: versions, states, the record, times, verdicts."""
