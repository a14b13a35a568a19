"""Function names of other languages, as people's programs write them into text files. (.xlsx and .ods are English.)

Source: the lists of function translations that Microsoft and The Document Foundation publish.
"""

from __future__ import annotations

import re

_NAMES = {
    "SUM": "SUMME SOMME SUMA SOMA SOMMA SOM SUMMA СУММ TOPLA",
    "PRODUCT": "PRODUKT PRODUIT PRODUCTO PRODUTO PRODOTTO ПРОИЗВЕД ILOCZYN",
    "AVERAGE": "MITTELWERT MOYENNE PROMEDIO MÉDIA MEDIA GEMIDDELDE СРЗНАЧ ŚREDNIA ORTALAMA MEDEL",
    "SUMPRODUCT": "SUMMENPRODUKT SOMMEPROD SUMAPRODUCTO SOMARPRODUTO MATR.SOMMA.PRODOTTO SOMPRODUCT СУММПРОИЗВ",
    "SUMSQ": "QUADRATESUMME SOMME.CARRES SUMA.CUADRADOS SOMAQUAD SOMMA.Q KWADRATENSOM СУММКВ",
    "POWER": "POTENZ PUISSANCE POTENCIA POTÊNCIA POTENZA MACHT СТЕПЕНЬ POTĘGA KUVVET",
    "SQRT": "WURZEL RACINE RAIZ RAÍZ RCUAD RADQ WORTEL КОРЕНЬ PIERWIASTEK KAREKÖK",
    "IF": "WENN SI SE ALS ЕСЛИ JEŻELI EĞER OM",
    "AND": "UND ET Y E EN И ORAZ VE",
    "OR": "ODER OU O OF ИЛИ LUB YADA",
    "NOT": "NICHT NON NO NÃO NIET НЕ NIE DEĞİL",
    "ABS": "ASS МОД",
    "TANH": "TANHYP TANH",
    "SIGN": "VORZEICHEN SIGNE SIGNO SINAL SEGNO POS.NEG ЗНАК",
    "ROUND": "RUNDEN ARRONDI REDONDEAR ARRED ARROTONDA AFRONDEN ОКРУГЛ",
    "MMULT": "PRODUITMAT MATRIZ.MULT MATR.PRODOTTO PRODUCTMAT МУМНОЖ",
    "TRANSPOSE": "MTRANS TRANSPONER TRANSPOR MATR.TRASPOSTA TRANSPONEREN ТРАНСП",
    "IFERROR": "WENNFEHLER SIERREUR SI.ERROR SEERRO SE.ERRORE ALS.FOUT",
    "TRUE": "WAHR VRAI VERDADERO VERDADEIRO VERO WAAR ИСТИНА",
    "FALSE": "FALSCH FAUX FALSO ONWAAR ЛОЖЬ",
}
_ENGLISH = {local: english for english, locals_ in _NAMES.items() for local in locals_.split()}
_CALL = re.compile(r"(?P<text>\"(?:[^\"]|\"\")*\")|(?P<name>[^\W\d][\w.]*)(?=\s*\()")


def in_english(formula: str) -> str:
    """A formula with the function names that are known in other languages in English.

    >>> in_english('=WENN(A1>0;WURZEL(A1);0)')
    '=IF(A1>0;SQRT(A1);0)'
    """
    return _CALL.sub(lambda m: m["text"] or _ENGLISH.get(m["name"].upper(), m["name"]), formula)
