"""Data sets as plain arrays, and the one reader of pictures. No torch.

Reading order: dataset, load (mnist, idx; own_data, own_pictures).
"""
