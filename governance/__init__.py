"""Whether data may be used: labels, policies, consent."""
