//! What the server's build script makes of scripts, where a test can see it. The page's own tests run the whole of it.

#[path = "../../host/build/join.rs"]
mod join;
#[path = "../../host/build/script.rs"]
mod script;

use join::{Chunk, Sources};
use std::collections::BTreeMap;

#[track_caller]
fn check(source: &str, expected: &str) {
    let tokens = script::tokens(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    assert_eq!(script::write(&tokens), expected);
}

#[test]
fn comments_and_white_space_go() {
    check("// all of it\nconst a = 1 // one\n\n  /* two */ let b\n", "const a=1\nlet b");
    check("f(\n  a, // first\n  b,\n)\n", "f(a,b,)");
    check("return {\n  a: /* none */ 1,\n}\n", "return{a:1,}");
    check("a\n  .b()\n  .c()", "a.b().c()");
    check("/* a\n b */ c", "c");
    check("a /* over\n lines */ b", "a\nb");
}

#[test]
fn what_ends_a_statement_stays() {
    check("a\nb", "a\nb");
    check("x = y\n(z)", "x=y\n(z)");
    check("return\nx", "return\nx");
    check("i\n++\nj", "i\n++\nj");
    check("const f = async () => {}\nf()", "const f=async()=>{}\nf()");
}

#[test]
fn what_would_run_together_is_kept_apart() {
    check("a + +b - -c", "a+ +b- -c");
    check("a + ++b", "a+ ++b");
    check("typeof a in b instanceof C", "typeof a in b instanceof C");
    check("'a' in b", "'a' in b");
    check("a / /b/.c", "a/ /b/.c");
    check("export default function f() {}", "export default function f(){}");
    check("#a in b", "#a in b");
}

#[test]
fn texts_stay_as_they_are() {
    check("'// no  comment' + \"/* nor  this */\"", "'// no  comment'+\"/* nor  this */\"");
    check(r"'it\'s  so'", r"'it\'s  so'");
    check("`a  // ${ b /* gone */ + `c  ${ d }  e` }  f`", "`a  // ${b+`c  ${d}  e`}  f`");
    check(r"`\`  ${ {a: {}} }  \${ `", r"`\`  ${{a:{}}}  \${ `");
    check("`$`", "`$`");
    check("`${a} in ${b}`", "`${a} in ${b}`");
}

#[test]
fn regular_expressions_are_no_divisions() {
    check("a = /[/'\"]  \\/ b/gu.test(c)", "a=/[/'\"]  \\/ b/gu.test(c)");
    check("return /'/", "return/'/");
    check("f(/`/, a / b / c)", "f(/`/,a/b/c)");
    check("(a) / b / 'c'", "(a)/b/'c'");
    check("a[0] / 2 // half", "a[0]/2");
}

#[test]
fn what_is_left_open_is_refused() {
    for (source, reason) in [
        ("'a", "a string is not closed"),
        ("`a${b", "`$` is not closed"),
        ("`a", "a template is not closed"),
        ("/* a", "a comment is not closed"),
        ("= /a", "a regular expression is not closed"),
        ("f(a", "`(` is not closed"),
        ("f(a]", "`]` closes `(`"),
        ("}", "`}` closes nothing"),
    ] {
        assert_eq!(script::tokens(source).map(drop), Err(reason.into()), "{source}");
    }
}

/// The files that these sources become.
fn joined(
    sources: &[(&'static str, &'static str)],
    chunks: &[(&str, &'static [&'static str])],
) -> Result<Vec<String>, String> {
    let scripts = sources.iter().copied().collect();
    let moved = BTreeMap::from([("wasm/e.wasm".into(), "out/e.wasm".into()), ("sw.js".into(), "sw.js".into())]);
    let chunks: Vec<Chunk<'_>> = chunks.iter().map(|(path, roots)| Chunk { path: (*path).into(), roots }).collect();
    Ok(join::join(&chunks, &Sources { scripts, moved })?.into_iter().map(|(_, script)| script).collect())
}

#[test]
fn modules_are_joined_in_the_order_of_their_imports() {
    let sources = [
        ("js/main.js", "import { b, c as d } from './b.js'\nimport './a.js'\nimport * as all from './a.js'\nb(d, all)\n"),
        ("js/a.js", "export const x = 1\nexport async function f() {}\nexport class C {}\n"),
        (
            "js/b.js",
            "import { x } from './a.js'\nconst y = x\nexport { y as b, c }\nfunction c() {}\nexport { f } from './a.js'\nexport * from './a.js'\n",
        ),
    ];
    let expected = "const x=1\nasync function f(){}\nclass C{}\n\
                    const y=x\nfunction c(){}\n\
                    const all={x,f,C}\ny(c,all)\n\
                    export{}\n";
    assert_eq!(joined(&sources, &[("out/main.js", &["js/main.js"])]), Ok(vec![expected.into()]));
}

#[test]
fn files_name_each_other_by_where_they_will_be() {
    let sources = [
        ("sw.js", "import { x } from './js/a.js'\nx()\n"),
        ("js/a.js", "export const x = () => new URL('../wasm/e.wasm', import.meta.url)\n"),
        ("js/main.js", "const a = async () => (await import('./a.js')).x\nawait new URL('../sw.js', import.meta.url)\n"),
    ];
    let chunks: [(&str, &[&str]); 3] =
        [("out/a.js", &["js/a.js"]), ("out/main.js", &["js/main.js"]), ("sw.js", &["sw.js"])];
    let [a, main, worker] = joined(&sources, &chunks).unwrap().try_into().unwrap();
    assert_eq!(a, "const x=()=>new URL('./e.wasm',import.meta.url)\nconst $0={x}\nexport{x,$0}\n");
    assert!(
        main.contains("(await import('./a.js').then(all=>all.$0)).x\nawait new URL('../sw.js',import.meta.url)"),
        "{main}"
    );
    assert!(worker.starts_with("import{x}from'./out/a.js'\nx()"), "{worker}");
}

#[test]
fn a_name_that_means_something_else_elsewhere_is_given_another() {
    let sources = [
        (
            "main.js",
            "import { a as own } from './a.js'\nconst open = { a: own, own, f(own) { return { own } } }\n\
             class C {\n  a = own\n  own() { return this.own ? own : `${own} own` }\n}\n\
             const g = ({ own: a, open = own }) => [...own, a, open?.own]\nopen.a(C, g)\n",
        ),
        // What the other declares is the platform's here.
        ("a.js", "let b = open()\nexport const a = b\n"),
    ];
    let expected = "let b=open()\nconst $0=b\n\
                    const $1={a:$0,own:$0,f($0){return{own:$0}}}\n\
                    class C{a=$0\nown(){return this.own?$0:`${$0} own`}}\n\
                    const g=({own:a,open:$1=$0})=>[...$0,a,$1?.own]\n$1.a(C,g)\n\
                    export{}\n";
    assert_eq!(joined(&sources, &[("out.js", &["main.js"])]), Ok(vec![expected.into()]));
}

#[test]
fn what_cannot_be_joined_stops_the_build() {
    let refused = |main: &'static str, reason: &str| {
        let sources = [("main.js", main), ("a.js", "import './main.js'\n"), ("b.js", "export const b = 1\n")];
        let error = joined(&sources, &[("out.js", &["main.js"])]).unwrap_err();
        assert!(error.contains(reason), "{main}: {error}");
    };
    refused("import { b } from './a.js'\n", "imports itself");
    refused("import { c } from './b.js'\n", "`b.js` does not export `c`");
    refused("import { c } from './c.js'\n", "there is no module `c.js`");
    refused("import b from './b.js'\n", "is not understood");
    refused("export default 1\n", "is not understood");
    refused("export let a\n", "is not understood");
    refused("export const { a } = {}\n", "is not understood");
    refused("import('./b.js')\n", "no file has `b.js`");
    refused("new URL('b.wasm', import.meta.url)\n", "there is no file `b.wasm`");
    refused("import.meta.url\n", "`import.meta` is only understood");
    refused("let a = c[0]\n{ b(a) }\n", "`]`, and `{` in the next line, is not understood");
}

#[track_caller]
fn check_joined(main: &'static str, expected: &str) {
    let sources = [("main.js", main), ("b.js", "const c = 1\nexport { c as b }\n")];
    assert_eq!(joined(&sources, &[("out.js", &["main.js"])]), Ok(vec![expected.into()]));
}

#[test]
fn blocks_and_objects_are_told_apart() {
    let blocks = "import { b } from './b.js'\n\
                  switch (b) {\n  case b ? 1 : 2: { b(b) }\n  case b?.b: { b(b) }\n  default: { b(b) }\n}\n\
                  const a = b ?.5 : { b }\n\
                  d: { b(a) }\n\
                  class A { static { b(a) } }\n";
    let expected = "const c=1\n\
                    switch(c){case c?1:2:{c(c)}\ncase c?.b:{c(c)}\ndefault:{c(c)}}\n\
                    const a=c?.5:{b:c}\n\
                    d:{c(a)}\n\
                    class A{static{c(a)}}\n\
                    export{}\n";
    check_joined(blocks, expected);
    let objects = "import { b } from './b.js'\n\
                const a = b ? { b } : b?.c ?? b ? { b: { b } } : { b }\n\
                switch (a) {\n  case b: a(b ? `${{ b }}` : { b })\n  default: f(b ? 1 : { b })\n}\n\
                class A { static b = b ? 1 : { b } }\n";
    let expected = "const c=1\n\
                    const a=c?{b:c}:c?.c??c?{b:{b:c}}:{b:c}\n\
                    switch(a){case c:a(c?`${{b:c}}`:{b:c})\ndefault:f(c?1:{b:c})}\n\
                    class A{static b=c?1:{b:c}}\n\
                    export{}\n";
    check_joined(objects, expected);
}
