"""Questions about lists of jobs, of none and of more than SQLite takes as parameters."""

from hst123r.provenance.of_jobs import of_jobs


def test_a_list_may_be_empty_or_long(store, begin, attempt):
    run = begin()
    jobs = [attempt("a", str(n), run=run) for n in range(3)]
    query = "select label from job where id in asked order by id"
    assert list(of_jobs(store.db, query, [])) == []
    assert [row["label"] for row in of_jobs(store.db, query, iter(jobs[1:]))] == ["1", "2"]
    assert len(list(of_jobs(store.db, query, range(300_000)))) == 3
