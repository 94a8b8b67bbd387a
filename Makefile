# `make run` starts the server, `make test` runs every test. Both install what is missing, where they may.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ARGS ?=
GATEWAY := .build/release/gateway

.PHONY: help setup build run test unit end-to-end soak soak-hostile data links bench fuzz scenarios lint format tsan asan package \
    package-test source-package source-package-test release clean

help: ## Shows these lines
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do \
	    printf '  make %-20s %s\n' "$$name" "$$text"; done
	@printf '\n  ARGS passes options on:  make run ARGS="--port 8080"\n'
	@printf '  "make run ARGS=--help" lists them; Docs/Operations.md explains them\n'

setup: ## Installs what building needs, where it may, or says what to install
	@.ci/setup build

build: setup ## Builds the server for release
	@swift build -c release --product gateway

run: build ## Builds and starts the server, and prints the address to open
	@exec $(GATEWAY) $(ARGS)

test: ## Runs every test: Swift's, then real browsers and clients against the release build
	@.ci/test all

unit: ## Runs only the Swift tests (ARGS="--filter Name" for some of them)
	@.ci/test unit $(ARGS)

end-to-end: ## Runs only browsers and clients (ARGS="-k word" for some of them)
	@.ci/test end-to-end $(ARGS)

soak: ## Joins and leaves, and holds a call, for ten minutes each (ARGS=seconds for longer)
	@ROUNDHOUSE_SOAK_SECONDS=$(or $(ARGS),600) .ci/test end-to-end -k "joined_and_left or hear_each_other_all_the_time"

soak-hostile: ## Rooms come and go beside hostile clients for two hours (ARGS=seconds): figures and chart in artifacts
	@ROUNDHOUSE_SOAK_SECONDS=$(or $(ARGS),7200) .ci/test end-to-end -k hostile_soak

data: ## Data channels of five clients of three kinds, a thousand opened and closed, with and without losses (root)
	@ROUNDHOUSE_DATA=all .ci/test end-to-end -k five_clients $(ARGS)

links: ## Calls over narrow, lossy and changing links, with every codec and browser (root)
	@ROUNDHOUSE_LINKS=all .ci/test end-to-end -k test_bandwidth $(ARGS)

bench: ## Measures the server against its goals, Janus and a bare loop (ARGS=--help for more)
	@.ci/setup bench
	@Benchmarks/run.sh $(ARGS)

fuzz: setup ## Fuzzes the parsers for a minute (ARGS="600 rtp stun" for ten of some of them)
	@Tests/Fuzzing/run.sh $(or $(ARGS),60)

scenarios: setup ## Runs congestion control over simulated networks, writes the scoreboard (ARGS="trace 6.L" shows one)
	@Tests/Scenarios/run.sh $(or $(ARGS),write)

lint: ## Checks formatting, scripts and the rules of the source tree
	@.ci/lint

format: ## Formats the Swift sources in place
	@swift format -i -p -r Sources Tests Benchmarks Package.swift

tsan: setup ## Runs the lock-free tests and a busy room under the thread sanitizer
	@.ci/tsan $(ARGS)

asan: setup ## Runs the Swift tests and the fuzz targets' corpus under the address sanitizer
	@.ci/asan $(ARGS)

package: ## Makes .deb, .rpm, tarball and image in .build/packages
	@.ci/setup package
	@Packaging/build
	@Packaging/make

source-package: ## Makes a source tarball that builds without a network, in .build/packages
	@.ci/setup package
	@Packaging/source

source-package-test: package source-package ## Builds that tarball without a network: same packages? Needs root, takes long
	@Packaging/test/offline .build/packages/roundhouse-*-source.tar.xz

package-test: ## Tries the packages in fresh Debian roots, chroots and namespaces; needs root (ARGS="-k word")
	@.ci/setup package-test
	@.venv/bin/python -m pytest Packaging/test -c Tests/EndToEnd/pytest.ini --rootdir Packaging/test -o addopts=-ra $(ARGS)

release: ## Cuts a release: checks, writes the version and the CHANGELOG's section, tags (VERSION=0.2.0)
	@Packaging/release $(VERSION)

clean: ## Removes everything built or installed into this folder
	@rm -rf .build .venv Benchmarks/.build Benchmarks/Micro/.build Tests/Fuzzing/.build Tests/Scenarios/.build Tests/EndToEnd/artifacts Tests/EndToEnd/.pytest_cache
