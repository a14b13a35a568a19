"""Data sets as plain arrays, and the one reader of pictures. No torch.

Reading order: dataset, load (catalogue, published, fetching, idx; own_data with own_pictures and own_arrays), reading,
picture_reader.
"""
