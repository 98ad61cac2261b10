"""`ringfence verify`: exactly four keys, 0 for a whole journal, 1 for any other."""

import shutil

import apsw


def test_a_whole_journal_is_ok(run, written):
    answer = run("verify", written.path, "--json")
    assert answer.code == 0
    assert answer.json == {
        "ok": True,
        "entries": written.entries,
        "head": written.head,
        "problems": [],
    }


def test_the_right_head_is_ok_and_another_is_a_finding(run, written):
    assert run("verify", written.path, "--head", written.head).code == 0
    answer = run("verify", written.path, "--head", "00" * 32, "--json")
    assert answer.code == 1
    (problem,) = answer.json["problems"]
    assert problem.keys() == {"seq", "code", "message"}
    assert (problem["seq"], problem["code"]) == (written.entries, "head_mismatch")


def test_people_read_one_line_and_a_table_of_problems(run, written):
    answer = run("verify", written.path)
    assert answer.out == f"ok: {written.entries} entries, head {written.head}\n"
    answer = run("verify", written.path, "--head", "00" * 32)
    assert answer.out.startswith("NOT OK: ")
    assert "head_mismatch" in answer.out


def test_a_changed_entry_is_a_finding(run, written, tmp_path):
    for file in written.path.parent.iterdir():
        shutil.copy(file, tmp_path)
    path = tmp_path / written.path.name
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE entry SET time_ns = time_ns + 1 WHERE seq = 4")
    connection.close()
    answer = run("verify", path, "--json")
    assert answer.code == 1
    assert (answer.json["problems"][0]["seq"], answer.json["ok"]) == (4, False)


def test_garbage_is_a_finding_and_a_missing_file_is_wrong_usage(run, tmp_path):
    garbage = tmp_path / "garbage.journal"
    garbage.write_bytes(b"\x00garbage" * 999)
    answer = run("verify", garbage, "--json")
    assert (answer.code, answer.json["ok"], answer.json["entries"]) == (1, False, 0)
    assert run("verify", tmp_path / "nowhere").code == 2
    assert run("verify", tmp_path).code == 2


def test_a_head_that_is_none_is_wrong_usage(run, written):
    answer = run("verify", written.path, "--head", "abc")
    assert answer.code == 2
    assert "'abc'" in answer.err
