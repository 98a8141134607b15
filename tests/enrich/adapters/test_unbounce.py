def test_cases(case, check):
    check(case)
