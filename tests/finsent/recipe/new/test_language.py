from __future__ import annotations

import pytest

from finsent.recipe.new.language import guess_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The delivery was late and the box was open", "en"),
        ("Die Lieferung kam zu spät und das Paket war nicht zu", "de"),
        ("La livraison est arrivée en retard et le colis n'est pas complet", "fr"),
        ("El paquete no llegó y la caja estaba abierta", "es"),
        ("O pacote não chegou e a caixa estava aberta", "pt"),
        ("Il pacco non è arrivato e la scatola era aperta", "it"),
        ("Het pakket is niet gekomen en de doos was open", "nl"),
        ("배송이 늦었고 상자가 열려 있었습니다", "ko"),
        ("配達が遅れて箱が開いていました", "ja"),
        ("包裹迟到了，盒子是开着的", "zh"),
        ("Посылка пришла поздно, и коробка была открыта", "ru"),
        ("Посилка прийшла пізно, її коробка була відкрита, і це її вина", "uk"),
        ("पार्सल देर से आया और डिब्बा खुला था", "hi"),
        ("وصل الطرد متأخرا وكانت العلبة مفتوحة", "ar"),
        ("xq zv 17", "en"),
        ("", "en"),
    ],
)
def test_the_language_is_seen_by_script_and_frequent_words(text: str, language: str) -> None:
    assert guess_language([text])[0] == language


def test_the_reason_says_what_was_seen() -> None:
    assert guess_language(["배송이 늦었고 OK"])[1] == "75% of the letters are Hangul"
    assert "frequent English ones" in guess_language(["this is the one"])[1]
