"""Changes to labels, marketing actions and policies, and the decisions they lead to."""
