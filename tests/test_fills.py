"""The parts of the documentation that are read from code, results and notes of pictures."""

import pytest

from training.tables.fills import ROOT, fill

DOCS = ROOT / "docs"


def filled(asked, folder=DOCS):
    return fill(f"<!-- fill: {asked} --><!-- end -->", folder).split("-->\n")[1].split("\n<!--")[0]


def test_methods_stand_below_their_class_and_docstrings_are_left_out():
    names = "Categorical.recognize", "Categorical.spec", "UniformCode.from_values", "one_hot"
    code = filled("code " + " ".join(f"tfgen.distributions.codes.{each}" for each in names))
    lines = code.splitlines()
    assert lines[0] == '```py title="tfgen/distributions/codes.py"'
    assert [line for line in lines if line and not line.startswith(" ")][1:-1] == [
        "class Categorical(Code):",
        "class UniformCode(Code):",
        "def one_hot(classes, size, what):",
    ]
    assert "    def spec(self, name):" in lines
    assert '"""' not in code
    with pytest.raises(ValueError, match="There is no 'Gaussian' in tfgen/distributions/codes.py"):
        filled("code tfgen.distributions.codes.Gaussian")


def test_a_picture_says_by_which_commands_on_which_data_and_where_it_was_trained():
    one, several = filled("picture dcgan_fashion"), filled("picture classical_fashion", DOCS / "x")
    assert one.startswith("![DCGAN: samples of one seed.](pictures/dcgan_fashion.png)\n\n*")
    assert "`python -m training.train dcgan_fashion` (50 epochs of `embedded`, seed 0, " in one
    assert "(../pictures/classical_fashion.png)" in several
    assert [line[:36] for line in several.splitlines() if line.startswith("* ")] == [
        "* `python -m training.train gaussian",
        "* `python -m training.train mixture_",
        "* `python -m training.train kde_fash",
    ]


def test_the_gallery_leads_from_each_picture_to_its_model():
    gallery = filled("gallery")
    assert "\n## Conditional GAN: digits\n" in gallery
    assert gallery.count("\n[Idea, formula and code](models/") == gallery.count("\n![") > 10
    for page in (line.split("(")[1][:-1] for line in gallery.splitlines() if line[:5] == "[Idea"):
        assert (DOCS / page).is_file()


def test_a_table_has_the_rows_that_are_named():
    rows = filled("table fid ns_gan_fashion began_fashion").splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == ["ns_gan_fashion", "began_fashion"]
    times = filled("table training_time").splitlines()[2:]
    minutes = [int(row.split(" minute")[0].split(" ")[-1]) for row in times]
    assert minutes == sorted(minutes)
    for unknown in ("table speeds", "tables fid"):
        with pytest.raises(ValueError, match="There is no table 'speeds'|A part can be code,"):
            filled(unknown)
