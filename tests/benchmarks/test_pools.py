"""Tables become pools: rows, directions, noise, repeated rows, and what is wrong in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.optimizer.pools import SPLITS, PoolError, read_pool, read_specs

SHIPPED = Path("benchmarks/optimizer/pools.toml")
HEAD = 'file = "t.csv"\ntarget = "y"\n'


def specs(folder: Path, text: str):
    (folder / "pools.toml").write_text(text)
    return read_specs(folder / "pools.toml")


def pool(folder: Path, table: str, keys: str = 'direction = "max"\nfeatures = ["a", "b"]'):
    (folder / "t.csv").write_text(table)
    return read_pool(specs(folder, f"[[pool]]\n{HEAD}{keys}")[0], folder)


def test_rows_without_a_target_are_left_out_and_repeated_ones_are_one(tmp_path):
    found = pool(tmp_path, "a,b,y\n3,1,10\n1,1,\n2,1,5\n3,1,20\n")
    assert found.X.tolist() == [[3, 1], [2, 1]]
    assert found.y.tolist() == [15, 5]


def test_a_target_to_minimise_changes_its_sign_and_its_noise_does_not(tmp_path):
    keys = 'direction = "min"\nfeatures = ["a"]\nnoise_column = "s"'
    found = pool(tmp_path, "a,y,s\n1,10,0.3\n2,30,\n3,20,0.4\n", keys)
    assert found.y.tolist() == [-10, -30, -20]
    assert found.sigma == pytest.approx([0.3, np.sqrt((0.3**2 + 0.4**2) / 2), 0.4])


def test_noise_is_a_tenth_of_the_targets_deviation_where_nothing_is_said(tmp_path):
    found = pool(tmp_path, "a,b,y\n1,1,1\n2,1,2\n3,1,3\n")
    assert found.sigma == pytest.approx(np.full(3, 0.1 * np.std([1, 2, 3])))


def test_the_best_are_one_percent_at_least_one_and_all_equals(tmp_path):
    rows = "".join(f"{k},{k},{min(k, 147)}\n" for k in range(150))
    found = pool(tmp_path, "a,b,y\n" + rows)
    assert np.flatnonzero(found.good).tolist() == [147, 148, 149]
    assert np.flatnonzero(pool(tmp_path, "a,b,y\n1,1,1\n2,2,2\n").good).tolist() == [1]


def test_the_digest_is_of_the_content(tmp_path):
    table = "a,b,y\n1,2,3\n4,5,6\n"
    one = pool(tmp_path, table)
    (tmp_path / "elsewhere").mkdir()
    assert pool(tmp_path / "elsewhere", table).digest == one.digest
    assert pool(tmp_path, table.replace("6", "7")).digest != one.digest
    assert pool(tmp_path, table, 'direction = "min"\nfeatures = ["a", "b"]').digest != one.digest


@pytest.mark.parametrize(
    "text",
    [
        '[[pool]]\nfile = "t.csv"\ntarget = "y"\ndirection = "max"\nfeatures = ["a", "b"]\ncomposition = true',
        '[[pools]]\nfile = "t.csv"\ntarget = "y"\ndirection = "max"\nfeatures = ["a", "b"]\ncomposition = ["a", "b"]',
        '["t y"]\nfile = "t.csv"\ntarget = "y"\ndirection = "max"\nfeatures = ["a", "b"]\ncomposition = true',
        '[pools."t y"]\nfile = "t.csv"\ntarget = "y"\ndirection = "max"\nfeatures = ["a", "b"]\ncomposition = true',
    ],
)
def test_entries_may_be_a_list_or_named_tables(tmp_path, text):
    (spec,) = specs(tmp_path, text)
    assert (spec.name, spec.features, spec.composition) == ("t y", ("a", "b"), ("a", "b"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no pools"),
        ("[[pool]]\n" + HEAD, "direction, features missing"),
        (f'[[pool]]\n{HEAD}direction = "up"\nfeatures = ["a"]', "direction is"),
        (f'[[pool]]\n{HEAD}direction = "max"\nfeatures = ["a"]\ncomposition = ["b"]', "not in features"),
        (f'[[pool]]\n{HEAD}direction = "max"\nfeatures = ["a"]\nnoize = 1', "unknown key noize"),
        (f'[[pool]]\n{HEAD}direction = "max"\nfeatures = ["a"]\n' * 2, "same name"),
        ("[[pool]", "pools.toml"),
    ],
)
def test_a_bad_pools_file_is_refused_in_words(tmp_path, text, words):
    with pytest.raises(PoolError, match=words):
        specs(tmp_path, text)


@pytest.mark.parametrize(
    ("table", "words"),
    [("a,y\n1,2\n", "no column 'b'"), ("a,b,y\n1,x,2\n", "could not convert"), ("a,b,y\n1,2,\n", "no rows")],
)
def test_a_bad_table_is_refused_in_words(tmp_path, table, words):
    with pytest.raises(PoolError, match=words):
        pool(tmp_path, table)


def test_a_missing_table_is_said(tmp_path):
    (spec,) = specs(tmp_path, f'[[pool]]\n{HEAD}direction = "max"\nfeatures = ["a"]')
    with pytest.raises(PoolError, match=r"t\.csv is missing"):
        read_pool(spec, tmp_path)


def test_the_shipped_split_follows_its_rule():
    found = read_specs(SHIPPED)
    files = sorted({spec.file for spec in found})
    assert {(spec.file, spec.split) for spec in found} == {(file, SPLITS[k % 2]) for k, file in enumerate(files)}
