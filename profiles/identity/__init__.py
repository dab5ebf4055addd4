"""Who is who: stitching and merging as values in, values out. Knows no Django."""
