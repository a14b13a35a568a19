"""The words and numbers by which a claim is read out of prose, as patterns."""

from __future__ import annotations

import re

LINK = re.compile(r"!\[[^\]]{0,300}\]\([^)]{0,2000}\)|\]\([^)]{0,2000}\)|https?://\S{1,2000}|<[^>]{0,500}>")
PERCENT = re.compile(r"(?<![\d.,])(\d{2,3}(?:\.\d{1,4})?)\s{0,2}(?:%|percent\b|per cent\b)")
BARE = re.compile(r"(?<![\d.,/])((?:9\d|100)\.\d{1,3})(?![\d%]|\s{0,2}%)")
FRACTION = re.compile(
    r"(?<![\d.])(0\.9\d{1,4})(?!\d)"
    # any other share, where it is called the accuracy and nothing else: "accuracy = 0.8491", "0.8491 test accuracy"
    r"|\baccurac(?:y|ies)(?: score)?[\s*_`]{0,4}(?:[:=≈]|\b(?:of|is|was)\b)[\s*_`]{0,4}(0\.[5-8]\d{1,4})(?!\d)"
    r"|(?<![\d.])(0\.[5-8]\d{1,4})[\s*_`]{1,4}(?:(?:test|val|validation|final)[\s*_`]{1,4})?accuracy\b"
    r"|\b(?:results?|scores?)[\s*_`:=]{1,8}(0\.[5-8]\d{2,4})\b(?=.{0,40}\btest\b)",
    re.IGNORECASE,
)
PARAMETERS = re.compile(
    r"(?<![\d.,])(\d{1,3}(?:,\d{3})+|\d{3,9})\s{0,2}\*{0,2}\s{0,2}"
    r"(?:total |trainable |learnable |model )?param(?:eter)?s"
    r"|param(?:eter)?s?(?:\s+(?:count|used|total))?\*{0,2}\s{0,3}(?:[:=|-]|is|are|of|were|was)\s{0,3}\*{0,2}\s{0,2}"
    r"(\d{1,3}(?:,\d{3})+|\d{3,9})(?![\d.]|\s{0,2}[kKmM%])"
    r"|param(?:eter)?s\*{0,2}\s{1,3}\*{0,2}(\d{1,3}(?:,\d{3})+)(?!\d|[.,]\d|\s{0,2}[kKmM%])",
    re.IGNORECASE,
)
# A count that is a layer's, or the one from which the network came: not the network's own.
PART = re.compile(
    r"\b(?:layer|block|fc\d?|conv\d|linear|dense|alone|each|per|bias(?:es)?|saves?|saved|removed?|extra|more|another"
    r"|instead of|kernels?|filters?|channels?|neurons?|say|suppose|imagine|consider|instance)\b"
    r"|\bfrom\b[^.]{0,20}$|[=x×*]\s{0,2}$",
    re.IGNORECASE,
)
COUNT_CELL = re.compile(r"\s*\*{0,2}(\d{1,3}(?:,\d{3})+|\d{3,9})\*{0,2}\s*")
TARGET = re.compile(
    r"\b(?:targets?|goals?|aim(?:s|ed|ing)?|must|needs?|require[sd]?|requirements?|should|at ?least|more than|greater"
    r"|(?<!run )(?<!cell )(?<!log )(?<!table )(?<!shown )(?<!see )(?:above|below)|exceed\w*"
    r"|less(?:er)? than|under|fewer|within|objective|expected|criteri\w+|threshold|constraints?"
    r"|over|up ?to|try|minimum|cross(?:ed|es|ing)?|want|wanted|close to|near|beyond)\b|[<>≥≤~]",
    re.IGNORECASE,
)
ELSEWHERE = re.compile(
    r"\b(?:paper|literature|state.of.the.art|sota|previous(?:ly)?|earlier|benchmark|kaggle|others?|original|lecun"
    r"|if|would|could|assignment|session|example|e\.g\."
    r"|(?:than|to|with|over|against|beat\w*|outperform\w*|surpass\w*) (?:the |our |my |a )?(?:\w+ )?baselines?)\b",
    re.IGNORECASE,
)
BEST = re.compile(r"\b(?:best|highest|max(?:imum)?|peak(?:ed)?|top)\b", re.IGNORECASE)
LAST = re.compile(r"\b(?:final(?:ly)?|last|at the end|ended?)\b", re.IGNORECASE)
REACHED = re.compile(
    r"\b(?:achieve[ds]|reache[ds]|met|meets|hits?|attained|obtained|got|gets|crossed|succeeded|cleared|consistently)\b"
    r"|\bable to (?:achieve|reach|get|hit)\b",
    re.IGNORECASE,
)
WISH = re.compile(
    r"\b(?:should|must|to be|can|could|would|will|needs?|wants?|wanted|try|trying|aim\w*|goals?|targets? (?:is|are|was)"
    r"|ha(?:s|ve) to|until|if|when|once|before)\b[^.]{0,30}$",
    re.IGNORECASE,
)
NOT = re.compile(
    r"\b(?:not|n't|never|fail\w*|unable|without|miss\w*|short of|almost|nearly|couldn)\b|n't", re.IGNORECASE
)
EPOCH = re.compile(
    r"(\d{1,3})(?:st|nd|rd|th)\s+epoch|epoch\s*(?:#|no\.?|number)?\s*[:=]?\s*(\d{1,3})\b(?!\s*[-–/])", re.IGNORECASE
)
EPOCHS = re.compile(r"(?<![\d.,])(\d{1,3})\*{0,2}\s{0,2}(?:training )?epochs\b", re.IGNORECASE)
SECTION = re.compile(
    r"^[\s#>*_\-+\d.]*\**\s*(targets?|results?|analysis|goals?|objectives?|requirements?)\b", re.IGNORECASE
)
# A line that a program printed: counts of images, progress bars, several figures with their names.
PRINTED = re.compile(
    r"\d\s?/\s?\d+\s?\(|it/s|s/it|\d+%\||batch[_ ]?id|\bloss\b\s*[:=]?\s*-?\d.*\bacc|\bacc.*\bloss\b\s*[:=]?\s*-?\d"
    r"|^\W*epoch\W*\d+\W.*(?:loss|acc)\w*\s*[:=]",
    re.IGNORECASE,
)
# In a plain block results are often listed; code and pasted logs are not claims.
CODE_OR_LOG = re.compile(
    r"loss|batch|it/s|epoch\s*[:=\[]|\d/\d|\w\(|^\s*(?:import|from|def|class|for|if)\b|[{};=]", re.I
)
ACCURACY = re.compile(r"\bacc(?:urac(?:y|ies))?\b", re.IGNORECASE)
# "Result: 0.8934 on the test split": a share that is no accuracy by name.
RESULT = re.compile(r"\b(?:results?|scores?)[\s*_`:=]{1,8}0\.[5-9]\d{2,4}\b.{0,40}\btest\b", re.IGNORECASE)
