// Prints where the runtime of a Go keeps what `scratchdbg goroutines` reads, as a row of src/golang/layout/table.rs: offsets
// from a program's DWARF, reasons to wait from the runtime's source.
//
//	layouts PROGRAM GOROOT
package main

import (
	"debug/buildinfo"
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// What a row holds: a field of the Rust struct, the runtime's struct, and the path to the field in it, with the names it had
// before. A "?" in front: not every Go has it, and 0 stands for that.
var wanted = []struct{ group, field, of, path string }{
	{"g", "lo", "runtime.g", "stack.lo"},
	{"g", "hi", "runtime.g", "stack.hi"},
	{"g", "m", "runtime.g", "m"},
	{"g", "sp", "runtime.g", "sched.sp"},
	{"g", "pc", "runtime.g", "sched.pc"},
	{"g", "lr", "runtime.g", "sched.lr"},
	{"g", "syscall_sp", "runtime.g", "syscallsp"},
	{"g", "syscall_pc", "runtime.g", "syscallpc"},
	{"g", "status", "runtime.g", "atomicstatus"},
	{"g", "id", "runtime.g", "goid"},
	{"g", "wait_since", "runtime.g", "waitsince"},
	{"g", "wait_reason", "runtime.g", "waitreason"},
	{"g", "locked", "runtime.g", "lockedm"},
	{"g", "parent", "runtime.g", "?parentGoid"},
	{"g", "created_at", "runtime.g", "gopc"},
	{"g", "start", "runtime.g", "startpc"},
	{"g", "labels", "runtime.g", "labels"},
	{"g", "size", "runtime.g", ""},
	{"m", "thread", "runtime.m", "procid"},
	{"module", "min_pc", "runtime.moduledata", "minpc"},
	{"module", "max_pc", "runtime.moduledata", "maxpc"},
	{"module", "text", "runtime.moduledata", "text"},
	{"module", "text_end", "runtime.moduledata", "etext"},
	{"module", "data", "runtime.moduledata", "noptrdata"},
	{"module", "bss", "runtime.moduledata", "bss"},
	{"module", "bss_end", "runtime.moduledata", "ebss"},
	{"module", "noptr_bss", "runtime.moduledata", "noptrbss"},
	{"module", "noptr_bss_end", "runtime.moduledata", "enoptrbss"},
	{"module", "func_data", "runtime.moduledata", "gofunc"},
	{"module", "next", "runtime.moduledata", "next"},
	{"module", "size", "runtime.moduledata", ""},
	{"func", "name", "runtime._func", "nameOff|nameoff"},
	{"func", "pcsp", "runtime._func", "pcsp"},
	{"func", "pcfile", "runtime._func", "pcfile"},
	{"func", "pcln", "runtime._func", "pcln"},
	{"func", "npcdata", "runtime._func", "npcdata"},
	{"func", "cu", "runtime._func", "cuOffset"},
	{"func", "kind", "runtime._func", "funcID"},
	{"func", "flag", "runtime._func", "flag"},
	{"func", "nfuncdata", "runtime._func", "nfuncdata"},
	{"func", "size", "runtime._func", ""},
	{"inline", "name", "runtime.inlinedCall", "nameOff|func_"},
	{"inline", "kind", "runtime.inlinedCall", "funcID"},
	{"inline", "parent_pc", "runtime.inlinedCall", "parentPc"},
	{"inline", "size", "runtime.inlinedCall", ""},
	{"p", "id", "runtime.p", "id"},
	{"p", "mcache", "runtime.p", "mcache"},
	{"p", "defers", "runtime.p", "deferpool"},
	{"p", "defers_room", "runtime.p", "deferpoolbuf"},
	{"p", "flush_gen", "runtime.mcache", "flushGen"},
	{"gc", "percent", "runtime.gcControllerState", "gcPercent"},
	{"gc", "limit", "runtime.gcControllerState", "memoryLimit"},
	{"gc", "minimum", "runtime.gcControllerState", "heapMinimum"},
	{"gc", "goal", "runtime.gcControllerState", "gcPercentHeapGoal"},
	{"gc", "live", "runtime.gcControllerState", "heapLive"},
	{"gc", "marked", "runtime.gcControllerState", "heapMarked"},
	{"gc", "in_use", "runtime.gcControllerState", "heapInUse"},
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("layouts PROGRAM GOROOT")
	}
	info, err := buildinfo.ReadFile(os.Args[1])
	check(err)
	file, err := elf.Open(os.Args[1])
	check(err)
	data, err := file.DWARF()
	check(err)
	types := structs(data)

	fmt.Printf("    // %s\n    Layout {\n        minor: %s,\n", info.GoVersion, strings.Split(info.GoVersion, ".")[1])
	group := ""
	for _, want := range wanted {
		if group != want.group {
			if group != "" {
				fmt.Println("        },")
			}
			group = want.group
			fmt.Printf("        %s: %s {\n", group, strings.ToUpper(group[:1])+group[1:])
		}
		fmt.Printf("            %s: %d,\n", want.field, offset(types, want.of, want.path))
	}
	fmt.Printf("        },\n        wrapper: %d,\n        wait_reasons: &[\n", wrapper(os.Args[2]))
	for _, reason := range reasons(os.Args[2]) {
		fmt.Printf("            %q,\n", reason)
	}
	fmt.Println("        ],\n    },")
}

// structs finds the wanted structs by their names.
func structs(data *dwarf.Data) map[string]*dwarf.StructType {
	found := map[string]*dwarf.StructType{}
	for _, want := range wanted {
		found[want.of] = nil
	}
	reader := data.Reader()
	for {
		entry, err := reader.Next()
		check(err)
		if entry == nil {
			return found
		}
		name, _ := entry.Val(dwarf.AttrName).(string)
		if _, known := found[name]; !known || entry.Tag != dwarf.TagStructType {
			continue
		}
		kind, err := data.Type(entry.Offset)
		check(err)
		if of, ok := kind.(*dwarf.StructType); ok && len(of.Field) > 0 {
			found[name] = of
		}
	}
}

func offset(types map[string]*dwarf.StructType, of, path string) int64 {
	kind := types[of]
	if kind == nil {
		log.Fatalf("no %s in it", of)
	}
	if path == "" {
		return kind.ByteSize
	}
	optional := strings.HasPrefix(path, "?")
	at := int64(0)
	for _, step := range strings.Split(strings.TrimPrefix(path, "?"), ".") {
		if kind == nil {
			log.Fatalf("%s.%s is no struct", of, path)
		}
		field := named(kind, strings.Split(step, "|"))
		if field == nil && optional {
			return 0
		}
		if field == nil {
			log.Fatalf("no %s.%s in it", of, path)
		}
		at += field.ByteOffset
		kind = nil
		inner := field.Type
		for {
			if alias, ok := inner.(*dwarf.TypedefType); ok {
				inner = alias.Type
				continue
			}
			break
		}
		kind, _ = inner.(*dwarf.StructType)
	}
	return at
}

func named(kind *dwarf.StructType, names []string) *dwarf.StructField {
	for _, field := range kind.Field {
		for _, name := range names {
			if field.Name == name {
				return field
			}
		}
	}
	return nil
}

// reasons gives the words for each number of waitReason, in order.
func reasons(root string) []string {
	source, err := os.ReadFile(filepath.Join(root, "src/runtime/runtime2.go"))
	check(err)
	text := string(source)
	order := between(text, "waitReasonZero ", "\n)")
	words := between(text, "waitReasonStrings = [...]string{", "\n}")
	of := map[string]string{}
	for _, match := range regexp.MustCompile(`(waitReason\w+):\s*"([^"]*)"`).FindAllStringSubmatch(words, -1) {
		of[match[1]] = match[2]
	}
	all := []string{""}
	for _, match := range regexp.MustCompile(`(?m)^\s*(waitReason\w+)`).FindAllStringSubmatch(order, -1) {
		words, known := of[match[1]]
		if !known {
			log.Fatalf("no words for %s", match[1])
		}
		all = append(all, words)
	}
	if len(all) < 20 {
		log.Fatal("the reasons to wait are not where they were")
	}
	return all
}

// wrapper gives the number of the kind of functions that the compiler made to call others (abi.FuncIDWrapper).
func wrapper(root string) int {
	for _, file := range []string{"src/internal/abi/symtab.go", "src/runtime/symtab.go"} {
		source, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			continue
		}
		_, list, found := strings.Cut(string(source), "ormal FuncID = iota")
		if !found {
			_, list, found = strings.Cut(string(source), "ormal funcID = iota")
		}
		if !found {
			continue
		}
		list, _, _ = strings.Cut(list, "\n)")
		for number, match := range regexp.MustCompile(`(?m)^\s*(FuncID\w+|funcID\w+)`).FindAllStringSubmatch(list, -1) {
			if strings.HasSuffix(strings.ToLower(match[1]), "wrapper") {
				return number + 1
			}
		}
	}
	log.Fatal("the kinds of functions are not where they were")
	return 0
}

func between(text, from, to string) string {
	_, rest, found := strings.Cut(text, from)
	if !found {
		log.Fatalf("no %q in the runtime's source", from)
	}
	inside, _, _ := strings.Cut(rest, to)
	return inside
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
