module scratchdbg.test/layouts

go 1.19
