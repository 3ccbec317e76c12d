//! Texts and their layouts.
//!
//! The expected layouts are written by hand, after the examples of the manual.

use super::{format, layout, says_the_same, without_places};
use crate::source::SourceId;
use crate::syntax::parse_file;

fn formatted(text: &str) -> String {
    format(SourceId(0), text).unwrap_or_else(|problems| panic!("{problems:?} in\n{text}"))
}

#[track_caller]
fn becomes(text: &str, expected: &str) {
    let first = formatted(text);
    assert_eq!(first, expected);
    assert_eq!(formatted(&first), expected, "a second time");
}

#[test]
fn expressions_have_blanks_around_sums_only() {
    for (text, expected) in [
        ("x'=a * x-b*x * y", "x' = a*x - b*x*y\n"),
        ("let y=- x ^ - 2", "let y = -x^-2\n"),
        ("let y = a- -b", "let y = a - -b\n"),
        ("let y = ( a+b )/c .* d.^ 2", "let y = (a + b)/c .* d.^2\n"),
        ("let y = 2 .^ x", "let y = 2 .^ x\n"),
        (
            "let y = if(x<1)and not(z==2)then -1 else f( a,b )",
            "let y = if (x < 1) and not (z == 2) then -1 else f(a, b)\n",
        ),
        (
            "u[ i - 1 ]' = u[i+1]+A[ i , j ]",
            "u[i-1]' = u[i+1] + A[i, j]\n",
        ),
        ("let y = u[min(i - 1, 2)]", "let y = u[min(i - 1, 2)]\n"),
        (
            "param k = 5[mg/L]in 1e-4 .. 10 log",
            "param k = 5 [mg/L] in 1e-4..10 log\n",
        ),
        ("param k[ mg / L ] = 1_000", "param k[mg/L] = 1_000\n"),
        (
            "param k [ mg  m^-2·s⁻¹ kg ] = 1",
            "param k [mg m^-2·s⁻¹ kg] = 1\n",
        ),
        ("dose 100 [mg]*F into C", "dose 100 [mg] * F into C\n"),
        (
            "for i in 2..N - 1 { u[i]' = 1 }",
            "for i in 2..N-1 { u[i]' = 1 }\n",
        ),
        ("x' = -k*x( t-tau )", "x' = -k*x(t - tau)\n"),
        (
            "observe c~lognormal(median=C1,sd = s)",
            "observe c ~ lognormal(median = C1, sd = s)\n",
        ),
        ("index gene={ A,B, }", "index gene = {A, B,}\n"),
        ("r1 : 2 A+B<->C,k1 ,k2", "r1: 2 A + B <-> C, k1, k2\n"),
        ("A ->0 , rate (v*A)", "A -> 0, rate (v*A)\n"),
        ("2*A -> B, k", "2*A -> B, k\n"),
        ("fn f( x,y )=x", "fn f(x, y) = x\n"),
        (
            "noise intrinsic( size=Omega )",
            "noise intrinsic (size = Omega)\n",
        ),
        (
            "cell1 : use \"a.lotka\"( k=3 )",
            "cell1: use \"a.lotka\" (k = 3)\n",
        ),
        ("next w=w - next m", "next w = w - next m\n"),
        ("state theta=1,theta'=0", "state theta = 1, theta' = 0\n"),
        (
            "simulate 0 .. 10 step 0.1 with a=- 1",
            "simulate 0..10 step 0.1 with a = -1\n",
        ),
        (
            "plot x ,y over \"a.csv\"(time=year)  log y",
            "plot x, y over \"a.csv\" (time = year) log y\n",
        ),
        ("simulate ..5", "simulate ..5\n"),
        ("simulate 5.. step 2", "simulate 5.. step 2\n"),
        (
            "let M = [ [1,-2] , [ 3,4 ] ]",
            "let M = [[1, -2], [3, 4]]\n",
        ),
        ("load models/a-b.lotka", "load models/a-b.lotka\n"),
        ("let `a b` = 2*cell1.x", "let `a b` = 2*cell1.x\n"),
    ] {
        becomes(text, expected);
    }
}

#[test]
fn comments_stay_where_they_are() {
    becomes(
        "\u{FEFF}# head\r\n\r\n\r\n\r\n##doc  \nparam k = 1 # one\nparam long = 2    ## two\n\n\n# last\n\n",
        "# head\n\n##doc\nparam k = 1     # one\nparam long = 2  ## two\n\n# last\n",
    );
    becomes(
        "when x<1 # falls\n# still the head\n{ # then\n\n  x=2;  # set\n\n\n   y = 3 # also\n # end\n\n} # done\nx' = 1",
        "when x < 1  # falls\n    # still the head\n    {      # then\n    x = 2  # set\n\n    y = 3  # also\n    # end\n}  # done\nx' = 1\n",
    );
    becomes(
        "let y = [1, # one\n  # two\n  2,\n  3 # three\n  ]",
        "let y = [1,  # one\n         # two\n         2,\n         3  # three\n        ]\n",
    );
    becomes("# only\n", "# only\n");
    becomes("\n\n", "");
}

#[test]
fn blocks_stay_on_one_line_or_on_several() {
    becomes(
        "condition a{k=0;x = 1}\ncondition b\n{\nk=0\n}\ncondition c {}\nat 1,2{ x=1 ;\n y = 2;}",
        "condition a { k = 0; x = 1 }\ncondition b {\n    k = 0\n}\ncondition c { }\nat 1, 2 {\n    x = 1\n    y = 2\n}\n",
    );
    let long = format!(
        "condition c {{ {}; k = 0 }}\n",
        "dose 100 into depot every 12; "
            .repeat(4)
            .trim_end_matches("; ")
    );
    let expected = format!(
        "condition c {{\n{}    k = 0\n}}\n",
        "    dose 100 into depot every 12\n".repeat(4)
    );
    becomes(&long, &expected);
    becomes("x' = 1;y'=2\nz' = 3;", "x' = 1; y' = 2\nz' = 3\n");
}

#[test]
fn columns_that_were_lined_up_stay_so() {
    becomes(
        "species NO   = 0.2  [ppm]\nspecies O3P  = 0    [ppm]\nspecies SO2  = 0.007 [ppm]",
        "species NO  = 0.2   [ppm]\nspecies O3P = 0     [ppm]\nspecies SO2 = 0.007 [ppm]\n",
    );
    becomes(
        "r1:  A -> B,   1\nr22: A + B -> C,   2\nr3: B -> 0,        3",
        "r1:  A -> B,     1\nr22: A + B -> C, 2\nr3:  B -> 0,     3\n",
    );
    becomes(
        "param a   = 1\nparam bcd = 2\n\nparam a  = 1\nparam bcd  = 2",
        "param a   = 1\nparam bcd = 2\n\nparam a = 1\nparam bcd = 2\n",
    );
    becomes(
        "left:  use \"a\"\nright: use \"a\" (k=1)",
        "left:  use \"a\"\nright: use \"a\" (k = 1)\n",
    );
    becomes(
        "prey'     = prey\npredator' = 2\n",
        "prey'     = prey\npredator' = 2\n",
    );
}

#[test]
fn long_lines_are_broken_and_breaks_stay() {
    let sum = ["some_name*another_name"; 6].join(" + ");
    let broken = format!(
        "x' = {} +\n    {}\n",
        ["some_name*another_name"; 3].join(" + "),
        ["some_name*another_name"; 3].join(" + ")
    );
    becomes(&format!("x' = {sum}"), &broken);
    let call = format!("let y = f({})", ["argument"; 12].join(", "));
    let broken = format!(
        "let y = f({},\n          {})\n",
        ["argument"; 9].join(", "),
        ["argument"; 3].join(", ")
    );
    becomes(&call, &broken);
    becomes(
        "let A = [\n[1,2],\n[3,4]\n]\nlet B = [[1,2],\n[3,4]]\nx' = a+\nb*\nc",
        "let A = [\n    [1, 2],\n    [3, 4]\n]\nlet B = [[1, 2],\n         [3, 4]]\nx' = a +\n    b *\n    c\n",
    );
}

#[test]
fn a_text_with_faults_is_not_laid_out() {
    assert!(format(SourceId(0), "x' = (1").is_err());
    assert!(format(SourceId(0), "x + 1").is_err());
}

/// Every model, every example and every wrong file that can be read.
fn corpus() -> Vec<String> {
    fn files(folder: &std::path::Path, texts: &mut Vec<String>) {
        let mut entries: Vec<_> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                files(&path, texts);
                continue;
            }
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            match path.extension().and_then(|end| end.to_str()) {
                Some("lotka") => texts.push(text),
                Some("md") => texts.extend(text.split("```").skip(1).step_by(2).map(|fenced| {
                    let inside = fenced.split_once('\n').map_or("", |(_, inside)| inside);
                    inside.to_owned()
                })),
                _ => {}
            }
        }
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for folder in ["models", "tests", "docs"] {
        files(&root.join(folder), &mut texts);
    }
    texts
}

#[test]
fn all_there_is_keeps_its_meaning() {
    let mut tried = 0;
    for text in corpus() {
        let parsed = parse_file(SourceId(0), &text);
        if !parsed.diagnostics.is_empty() {
            continue;
        }
        tried += 1;
        let laid_out = layout::laid_out(&text, &parsed.file, true);
        assert!(
            says_the_same(&text, &parsed.file, &laid_out),
            "{text}\n---\n{laid_out}"
        );
        let again = parse_file(SourceId(0), &laid_out);
        assert_eq!(without_places(&again.file), without_places(&parsed.file));
        let twice = layout::laid_out(&laid_out, &again.file, true);
        assert_eq!(twice, laid_out, "laid out twice:\n{text}");
    }
    assert!(tried > 300, "{tried}");
}

/// The models that come with the project are laid out; `LOTKA_BLESS=1` does it.
#[test]
fn models_are_laid_out() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let mut folders = vec![root];
    let mut differing = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|end| end != "lotka") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a text");
            let laid_out = formatted(&text);
            if laid_out != text {
                differing.push(path.display().to_string());
                if std::env::var_os("LOTKA_BLESS").is_some() {
                    std::fs::write(&path, laid_out).expect("written");
                }
            }
        }
    }
    assert!(differing.is_empty(), "not laid out: {differing:?}");
}
