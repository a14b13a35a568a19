"""A trained network taken where it is needed, with its own evidence.

`operations`: what a network computes for an image, as plain arrays; `fold`: norms folded into the layers beside them;
`onnx_file` writes ONNX and `onnx_answers` computes with such a file; `torch_file` writes a module that needs torch
alone. `c_stages`: a network as loops over memory, which `arena` shares out; `c_float` and `c_whole` write them as C
(with `kernels`), `c_run` lets it answer, `c_size` asks what it needs, `c_count` how many instructions it takes.
`quantise` makes whole numbers of a network, `whole_answers` computes those here, `onnx_whole` writes them as ONNX;
`in_c_or_whole` puts this together for a run. `stages`: the same network as steps between maps, which people can look
at (`stage_values`: what they give); `maps_on_sheets`, `network_sheets`, `front_sheet` and `network_book` make a
workbook of them, which `office` computes with LibreOffice; `page_file` makes a page (its scripts are in `page/`),
which `browser` computes with a Chromium; `for_people`: both as exports. `claim`: what may be said of a network,
`card` the model card; `exported`: what an exported file answered, as plain data; `replaced`: exports of a run that is
trained anew.
"""
