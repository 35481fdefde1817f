"""A page of a list, and where the next one begins."""

from app.domain.paging import Page, cut


def test_a_list_that_goes_on_has_its_next_page_after_the_last_row() -> None:
    assert cut([1, 2, 3], 2, str) == Page([1, 2], "2")


def test_a_list_that_fits_has_no_next_page() -> None:
    assert cut([1, 2], 2, str) == Page([1, 2], None)
    assert cut([], 2, str) == Page([], None)
