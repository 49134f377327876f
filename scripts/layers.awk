# For the step layers of ./test: reads src/README.md, other documents about the
# sources, then the sources by their names below src/, and says what breaks the
# order of the layers, and what a document names that is not there.  Writes the
# includes as pairs of files, without endings, to the file named by pairs.

function folder(path)
{
	return path ~ /\// ? substr(path, 1, index(path, "/") - 1) : "."
}

function stem(path)
{
	sub(/\.[ch]$/, "", path)
	return path
}

function complain(text)
{
	print text
	broken = 1
}

# --- the map ---

FILENAME == "README.md" && /^```/ {
	in_layers = $0 == "```layers"
	next
}
FILENAME == "README.md" && in_layers {
	n_layers++
	for (i = 1; i <= NF; i++)
		layer[$i] = n_layers
}
FILENAME == "README.md" && /^\|/ {
	rest = $0
	while (match(rest, /`[a-z_]+\.[ch]`/)) {
		named[substr(rest, RSTART + 1, RLENGTH - 2)] = 1
		rest = substr(rest, RSTART + RLENGTH)
	}
}
FILENAME == "README.md" { next }

# --- other documents: files in backquotes, and functions ---

FILENAME ~ /\.md$/ {
	rest = $0
	while (match(rest, /`[a-z_]+\.[ch]`/)) {
		told[substr(rest, RSTART + 1, RLENGTH - 2)] = FILENAME
		rest = substr(rest, RSTART + RLENGTH)
	}
	rest = $0
	while (match(rest, /ds_[a-z_]+/)) {
		told[substr(rest, RSTART, RLENGTH)] = FILENAME
		rest = substr(rest, RSTART + RLENGTH)
	}
	next
}

# --- the sources ---

FNR == 1 {
	name = FILENAME
	sub(/.*\//, "", name)
	source = name
	sub(/h$/, "c", source)
	exists[name] = 1
	if (!(name in named) && !(source in named))
		complain("src/" FILENAME ": not on the map, src/README.md")
	if (!(folder(FILENAME) in layer))
		complain("src/" FILENAME ": its folder is no layer of src/README.md")
}
/ds_[a-z_]+/ {
	rest = $0
	while (match(rest, /ds_[a-z_]+/)) {
		exists[substr(rest, RSTART, RLENGTH)] = 1
		rest = substr(rest, RSTART + RLENGTH)
	}
}
/^#include "[a-z_\/]+\.h"/ {
	header = $2
	gsub(/"/, "", header)
	if (!(header in own))
		next
	from = folder(FILENAME)
	to = folder(header)
	if (layer[to] < layer[from] || (layer[to] == layer[from] && to != from))
		complain("src/" FILENAME ":" FNR ": includes " header ", which is not below it")
	if (stem(header) != stem(FILENAME))
		print stem(FILENAME), stem(header) >pairs
}

BEGIN {
	for (i = 2; i < ARGC; i++)
		own[ARGV[i]] = 1
}
END {
	for (name in named)
		if (!(name in exists))
			complain("src/README.md: there is no " name)
	for (name in told)
		if (!(name in exists))
			complain(told[name] ": there is no " name)
	exit broken
}
