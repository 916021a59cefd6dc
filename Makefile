# The same words as `python3 run.py …`, for hands that type make.
.PHONY: demo test check run
demo test check run:
	@python3 run.py $@
