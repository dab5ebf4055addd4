"""The Luma story: the product's main job, told through its public doors."""
