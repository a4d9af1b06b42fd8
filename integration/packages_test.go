package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// goPackage is what go list says about a package, tests left out.
type goPackage struct {
	ImportPath, Dir, Doc string
	GoFiles, Imports     []string
}

var listPackages = sync.OnceValues(func() (map[string]*goPackage, error) {
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Dir,Doc,GoFiles,Imports", "./...")
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, &stderr)
	}
	all := make(map[string]*goPackage)
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(goPackage)
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all[p.ImportPath] = p
	}
})

// loadPackages returns all packages of this module and all they depend on, by
// import path.
func loadPackages(t *testing.T) map[string]*goPackage {
	t.Helper()
	all, err := listPackages()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// matches says that the package is one of this module that a pattern names.
func (p *goPackage) matches(patterns []string) bool {
	return strings.HasPrefix(p.ImportPath+"/", module+"/") && matchAny(patterns, p.ImportPath)
}

func matchAny(patterns []string, path string) bool {
	own := strings.TrimPrefix(path, module+"/")
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		tree, ok := strings.CutSuffix(pattern, "/...")
		return own == tree || (ok && strings.HasPrefix(own, tree+"/"))
	})
}

// files parses the package's files.
func (p *goPackage) files(t *testing.T) (map[string]*ast.File, *token.FileSet) {
	t.Helper()
	fset, files := token.NewFileSet(), make(map[string]*ast.File)
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = f
	}
	return files, fset
}

func (p *goPackage) fileImports(t *testing.T) map[string]map[string]bool {
	t.Helper()
	files, _ := p.files(t)
	imports := make(map[string]map[string]bool)
	for name, f := range files {
		imports[name] = make(map[string]bool)
		for _, spec := range f.Imports {
			imports[name][importPath(spec)] = true
		}
	}
	return imports
}

func importPath(spec *ast.ImportSpec) string {
	path, _ := strconv.Unquote(spec.Path.Value) // the parser has seen to it
	return path
}

// uses finds where the package names one of the given identifiers of a package.
func (p *goPackage) uses(t *testing.T, forbidden map[string]string) (found []string) {
	t.Helper()
	files, fset := p.files(t)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f := files[name]
		local := make(map[string]string) // what the file calls a package
		for _, spec := range f.Imports {
			path := importPath(spec)
			local[filepath.Base(path)] = path
			if spec.Name != nil {
				local[spec.Name.Name] = path
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(strings.Fields(forbidden[local[x.Name]]), sel.Sel.Name) {
				found = append(found, fmt.Sprintf("%s uses %s.%s", fset.Position(sel.Pos()), x.Name, sel.Sel.Name))
			}
			return true
		})
	}
	return found
}

// rule says what packages must never import, and why.
type rule struct {
	in, except []string // packages of this module it is about
	never      []string
	direct     bool // what they import themselves only
	why        string
}

// check returns one line for each import chain that breaks the rule.
func (r rule) check(all map[string]*goPackage) (broken []string) {
	for _, path := range slices.Sorted(maps.Keys(all)) {
		p := all[path]
		if !p.matches(r.in) || p.matches(r.except) {
			continue
		}
		if chain := r.find(all, p); chain != nil {
			broken = append(broken, strings.Join(chain, " → "))
		}
	}
	return broken
}

// find returns the shortest chain of imports from p to what it must not reach.
func (r rule) find(all map[string]*goPackage, p *goPackage) []string {
	cameFrom := map[string]string{p.ImportPath: ""}
	for queue := []string{p.ImportPath}; len(queue) > 0; queue = queue[1:] {
		from := queue[0]
		if all[from] == nil || (r.direct && from != p.ImportPath) {
			continue
		}
		for _, to := range all[from].Imports {
			if _, seen := cameFrom[to]; seen {
				continue
			}
			cameFrom[to] = from
			if matchAny(r.never, to) {
				return chainTo(cameFrom, to)
			}
			queue = append(queue, to)
		}
	}
	return nil
}

func chainTo(cameFrom map[string]string, to string) (chain []string) {
	for ; to != ""; to = cameFrom[to] {
		chain = append(chain, strings.TrimPrefix(to, module+"/"))
	}
	slices.Reverse(chain)
	return chain
}
