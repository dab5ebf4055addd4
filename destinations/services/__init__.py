"""Changes to connections and activations, and the way of a change to its destination."""
