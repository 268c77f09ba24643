"""Makes what the tests of the template interpreter compare with: src/test/resources/template.

    /opt/venv/bin/python sdk/local/src/test/golden/template_golden.py [NAME=DIRECTORY ...]

jinja.json   small templates in the manner of chat templates, and what Jinja2 in transformers' environment makes of them;
             null where it raises. The clock stands at 27 November 2026, 09:05:07.
messages.json  lines of data, and what small templates make of their messages by apply_chat_template's rules, with further
             arguments for some.
public.json  with arguments: for every template of the given directories (checkouts of public repositories, named as
             owner/repository@commit) the hashes of its renderings. The templates are not kept.
"""
import datetime
import hashlib
import json
import os
import sys

import transformers.utils.chat_template_utils as utils

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "resources", "template")


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 11, 27, 9, 5, 7)


utils.datetime = Clock


def render(source, variables):
    try:
        return utils._compile_jinja_template(source).render(**variables)
    except Exception:  # whatever Python raises, the template refuses
        return None


DATA = {
    "s": "Hello, World", "u": "\u00dcber \U0001f600\U0001f468\u200d\U0001f469 \u00df\u0130", "w": " \t\n a  b \u00a0\u2003c \n ",
    "html": "<a href=\"x\">Q & A's</a>", "lines": "one\ntwo\r\n\nthree\n", "q": "it's \"so\" \\ \x07 \u00e9 \u2028",
    "empty": "", "none": None, "yes": True, "no": False, "i": 42, "neg": -7, "f": 2.5, "big": 123456789012345678901234567890,
    "tiny": 1e-7, "huge": 1e22, "third": 0.1, "whole": 3.0, "nums": [3, 1, 2], "words": ["b", "A", "c", "a"], "mixed": [1, "a", None],
    "d": {"b": 1, "a": {"x": [1, 2.0, None, True]}, "items": "mine", "\u00e9": "\u4f60 <&>"}, "nothing": {}, "list": [],
    "people": [{"name": "Bo", "age": 3, "tags": ["x"]}, {"name": "al", "age": 1}, {"name": "Cy", "age": 3}],
    "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
                 {"role": "user", "content": [{"type": "text", "text": "c"}, {"type": "image"}]}],
}

EXPRESSIONS = """
s u w none yes no i neg f big tiny huge third whole nums d mixed people q
undefined undefined.x undefined['x'] undefined() undefined+1 1+undefined -undefined undefined~'a' undefined==undefined2 undefined<1
undefined|length undefined|list undefined|tojson undefined|string undefined|trim undefined|upper undefined|int undefined|sum undefined|first
undefined.x|default('z') d.x|default('z') d.nope d['nope'] d.nope.deeper d.items d['items'] d.a.x[1] d.a.x.0 d.b d.é none.x i.x
d.keys()|list d.values()|list d.items()|list|length d.get('b') d.get('z') d.get('z',9) d.items() d.keys() d.values() nothing.items()
1+2 1-2 2*3 7/2 6/2 7//2 -7//2 7%3 -7%3 7%-3 2**10 2**-1 2**0.5 1.5+1 7.5//2 -7.5%2 1/0 1%0 1//0.0 yes+yes -yes +yes 3*no big*big big//7 big%97 big/3
'a'+'b' 'a'+1 1+'a' 'a'*3 3*'a' 'a'*-1 [1]+[2] [1]*2 (1,)+(2,) [1]+(2,) none+'a' 'a'-'b' d+d
'a'~1~none~yes~2.0~[1]~undefined 1~2 'a' 'b' 'c'
1==1.0 1=='1' yes==1 none==none [1]==[1.0] (1,)==[1] d==d 'a'=='a' 'a'<'b' 'a'<1 [1,2]<[1,3] none<1 1<2<3 1<2>3 3>2>=2==2 1!=2 'Z'<'a' nums<nums
1 in nums 'x' in 'xyz' 'b' in d 1 in 'a' none in none 'q' not in 'abc' [1] in [[1]] [1] in d 5 in 5 '' in 'a' 'a' in undefined 1 in yes
not yes not none not '' not [] not 0 not 0.0 not undefined not not 1 yes and 5 no and 5 0 or 'x' '' or none 1 and 0 or 2 not 1==2
'x' if yes else 'y' 'x' if no else 'y' 'x' if no ('x' if no)|default('d') 'a' if 0 else 'b' if 0 else 'c' (1 if yes else 2)+1
s[0] s[-1] s[99] s[1:4] s[:-1] s[::-1] s[::2] s[5:1] s[-3:] s[:99] s[1:4:0] u[0] u[5:7] u[::-1] u|length nums[0] nums[-1] nums[5] nums[1:] nums[::-1] nums[:2] nums['a'] nums['a':] undefined[1:] d[1:] (1,2,3)[1:] d[0] i[0] nums[1.0] nums[yes] nums[undefined:] nums[none:2] messages[1:]|length messages[-1].role messages[-1]['content'][0].text messages[-1].content|length range(5)[1:3]|list
[] () (1,) (1,2) {} {'a':1} {'a':{'b':[]}} {1:2,none:3,yes:4} {1:'a',1.0:'b'} {'a':1,'b':2,} [1,2,] {[1]:2} {(1,):2} [1,'a\\n\\'"',none,2.5,(1,)] ["it's"] ['"'] ['\\'"'] ['\\\\']
true True false False none None "\\u00e9\\x41\\101\\N{BULLET}\\q\\\\" '\\t' 'a\\
b' 1_000 0x1F 0o17 0b11 1e3 1.5e-3 1E5 1_0.5 00 .5 1. 5.real
s.upper() s.lower() s.title() s.capitalize() s.swapcase() u.upper() u.lower() u.title() u.capitalize() u.casefold() 'ΑΣ'.lower() "it's o'clock".title() 'ǆ'.title() 'ﬁx'.capitalize() s.islower() 'abc'.islower() 'ABC1'.isupper() '1'.isupper() 'Ab Cd'.istitle()
w.strip() w.lstrip() w.rstrip() 'xxaxx'.strip('x') 'xyaxy'.strip('yx') s.strip('Hd') s.strip(none) s.strip(1) s.startswith('He') s.startswith(('x','He')) s.endswith('d') s.startswith(['x']) s.startswith('e',1) s.removeprefix('Hello') s.removesuffix('World') s.removesuffix('x') s.startswith(none)
s.split(',') s.split() w.split() s.split('l') s.split('l',1) s.rsplit('l',1) s.rsplit('l') w.split(none,1) w.rsplit(none,1) s.split('') 'a,b,,c'.split(',') ''.split() ''.split(',') lines.splitlines() lines.splitlines(true) lines.split('\\n') s.split(', ')[0] s.split(sep='l',maxsplit=1) s.partition(',') s.rpartition('l') s.partition('zz') s.rpartition('zz') 'aaa'.rsplit('aa') '</think>x</think>'.split('</think>')[-1].lstrip('\\n')
s.replace('l','L') s.replace('l','L',1) s.replace('','-') ''.replace('','-') u.replace('','.') s.replace('o',1) s.replace('l','') 'aaa'.replace('aa','b') s.replace(1,2)
','.join(words) ','.join(nums) ','.join('abc') ','.join([]) ','.join(d) s.find('l') s.find('z') s.rfind('l') s.index('z') s.index('l') s.count('l') s.count('') s.find('l',5) s.find('l',-4) u.find('ß') s.find('l',3,-1)
'a'.center(5) 'ab'.center(5) 'a'.center(4,'*') 'a'.ljust(3)~'|' 'a'.rjust(3) '-5'.zfill(4) '7'.zfill(3) 'a'.center(5,'ab') 'abc'.isalpha() 'ab1'.isalnum() '12'.isdigit() '²'.isdigit() '½'.isnumeric() '٣'.isdecimal() ' \\t'.isspace() ''.isspace() 'é'.isascii() 'a b'.isidentifier() '_a1'.isidentifier() 'a\\n'.isprintable()
'{} {}'.format(1,'a') '{0}{1}{0}'.format('a','b') '{x}'.format(x=1) '{x[a]} {y.b}'.format(x=d,y=d) '{:>5}|{:<5}|{:^5}'.format('a','b','c') '{:05d} {:.2f} {:,} {:x} {:+d} {:%}'.format(42,3.14159,1234567,255,5,0.5) '{!r} {!s}'.format('a','b') '{{}}'.format() '{'.format() '{}'.format() '{:*^9}'.format('mid') '{:{w}}|'.format('a',w=4) '{:.3}'.format('abcdef') '{:g} {:e}'.format(0.00001234,12345.678) '{.upper}'.format('a')|length>0 '{}'.format(none) '{:d}'.format('a') '{:s}'.format(1) '{a}'.format_map({'a':5}) '{:.3}'.format(2.0) '{:10.3f}|'.format(2.5) '{:<08}'.format(5)
'%s' % 1 '%s %s' % (1,'a') '%d' % 3.9 '%05.2f' % 3.14159 '%x %X %o' % (255,255,8) '%r' % 'a' '%(a)s' % {'a':1} '%%' % () '%s' % (1,2) '%s %s' % 1 '%5s|%-5s|' % ('a','b') '%+d' % 5 '%e' % 12345.678 '%g' % 0.00001 '%g' % 100000 '%g' % 1000000.0 '%c' % 65 '%s' % undefined '%s' % none '%d' % 'a' '%.2s' % 'abc' '%s' % [1] '%s' % (([1],)) 'abc' % () 'abc' % 1 '%*d' % (5,3) '%i' % yes '%5%' % () '%q' % 1
w|trim s|trim('Hd') s|upper s|lower s|title s|capitalize html|title none|upper 5|upper nums|upper s|length nums|length d|length i|length none|length undefined|length s|count s|reverse nums|reverse|list nums|reverse s|first s|last nums|first nums|last list|first list|last d|first d|last none|first i|first
nums|sort words|sort words|sort(case_sensitive=true) words|sort(reverse=true) nums|sort(true) mixed|sort people|sort(attribute='name')|map(attribute='name')|list people|sort(attribute='age,name')|map(attribute='name')|join d|sort s|sort none|sort people|sort people|sort(attribute='nope')|length
nums|join nums|join(',') words|join('-') people|join(', ',attribute='name') none|join s|join('.') d|join mixed|join(',') people|map(attribute='tags')|join('|') people|map(attribute='tags',default='-')|join('|') words|map('upper')|join words|map('replace','a','z')|join people|map(attribute='name')|map('lower')|list words|map('nope')|list words|map()|list none|map('upper')|list i|map('upper')|list words|map(attribute=0)|list people|map(attribute='tags.0')|list
people|selectattr('tags')|list|length people|selectattr('age','equalto',3)|map(attribute='name')|list people|rejectattr('age','eq',3)|list people|selectattr('tags','defined')|list|length nums|select('odd')|list nums|reject('odd')|list nums|select('>',1)|list nums|select|list mixed|select('none')|list words|select('in',['a','b'])|list messages|selectattr('role','equalto','user')|list|length messages|selectattr('role','equalto','user')|first messages|selectattr('role')|length people|selectattr()|list nums|select('nope')|list list|select('nope')|list nums|select('divisibleby',3)|list (nums|select('odd')) is defined 'a' if nums|select('even',1) else 'b' 'a' if list|select('odd') else 'b'
nums|sum nums|sum(start=10) people|sum(attribute='age') words|sum nums|min nums|max words|min words|max(case_sensitive=true) list|max people|max(attribute='age') nums|unique|list words|unique|list words|unique(true)|list [1,1.0,true]|unique|list people|groupby('age')|list|length people|groupby('age') people|groupby('name')|map('first')|list nums|batch(2)|list nums|batch(2,'x')|list nums|slice(2)|list nums|slice(2,'x')|list nums|list s|list d|list none|list undefined|list i|list d|items|list d|dictsort d|dictsort|first d|dictsort(by='value') d|dictsort(reverse=true)|first nothing|items|list s|items|list undefined|items|list
'42'|int 'x'|int 'x'|int(7) '42.9'|int 42.9|int 'ff'|int(base=16) '0x1f'|int(0,16) '0b1'|int(0,0) none|int none|int(3) ' 5 '|int '1_0'|int nums|int '1e3'|int yes|int '2.5'|float 'x'|float 'x'|float(1.5) 3|float none|float 'inf'|float ' 1e2 '|float big|float -neg|abs neg|abs -2.5|abs 'a'|abs 2.5|round 3.5|round 2.675|round(2) 2.1|round(0,'ceil') 2.9|round(method='floor') 42|round 42.55|round(1) -2.5|round 1234|round(-2) 'a'|round 2.5|round(1,'x') 1e300|round 12345|filesizeformat 1|filesizeformat 500|filesizeformat 123456789|filesizeformat(true)
none|default('x') ''|default('x') ''|default('x',true) none|default('x',true) undefined|default undefined|d(1) 0|default(5,boolean=true) s|default s|string i|string none|string nums|string html|escape html|e html|safe html|safe|e html|forceescape html|safe|forceescape (html|safe)+'<b>' '<b>'+(html|safe) (html|safe)~'<b>' (s|e).upper() html|striptags html|e|string html|urlencode {'a b':'c&d','e':1}|urlencode u|urlencode '/a b'|urlencode s|replace('l','L') s|replace('l','L',1) i|replace(4,5) none|replace('N','n') s|truncate(5) s|truncate(9) s|truncate(9,true,leeway=0) s|truncate(8,leeway=0) s|truncate(8,false,'',0) s|truncate(2) d|truncate(5) nums|truncate(3,leeway=0) yes|truncate d|truncate(1,leeway=0,end='') d|wordwrap(4) 5|wordwrap s|list|urlencode people|urlencode [('a',1),('b',2)]|urlencode s|wordcount u|wordcount lines|indent lines|indent(2,true) lines|indent('> ',true,true) ''|indent s|indent none|indent s|center(20) s|wordwrap(5) 'aaa bbbbbbbb c'|wordwrap(4) 'aaa bbbbbbbb c'|wordwrap(4,false) lines|wordwrap(3) '%s!'|format('a') '%(x)s'|format(x=1) '%s'|format d|attr('items')|default('none') d|attr('b')|default('none') s|attr('upper')|default('none')|length>0 d|attr('nope')|default('none')
d|tojson nums|tojson none|tojson s|tojson u|tojson q|tojson html|tojson f|tojson huge|tojson tiny|tojson big|tojson yes|tojson d|tojson(indent=2) d|tojson(indent=0) nothing|tojson(indent=2) list|tojson(indent=4) d|tojson(ensure_ascii=true) u|tojson(true) d|tojson(separators=(',',':')) d|tojson(indent=2,separators=(', ','='))  d|tojson(sort_keys=true) people|tojson(sort_keys=true,indent=1) (1,2)|tojson {1:2,none:3,yes:4,2.5:5}|tojson {(1,):2}|tojson {1:2,'a':3}|tojson(sort_keys=true) undefined|tojson [undefined]|tojson nums|map('string')|tojson range(2)|tojson d.items()|tojson d|tojson|safe (1e400)|tojson ('nan'|float)|tojson d|tojson('x') d|tojson(indent='--') namespace()|tojson
nums is iterable s is iterable i is iterable none is iterable undefined is iterable d is iterable s is sequence nums is sequence d is sequence i is sequence undefined is sequence d.items() is sequence s is string nums is string (s|safe) is string d is mapping nums is mapping i is number f is number yes is number s is number i is integer yes is integer f is integer f is float i is float yes is boolean 1 is boolean yes is true 1 is true no is false 0 is false none is none undefined is none undefined is defined s is defined s is not defined d.nope is defined d.nope.x is defined undefined is undefined s is lower 'abc' is lower 'ABC' is upper 3 is odd 3 is even 'a' is odd 6 is divisibleby 3 6 is divisibleby(4) 1 is sameas 1 none is sameas none yes is sameas true 1 is sameas true 'a' is in 'abc' 'a' is in ['b'] 3 is eq 3 3 is equalto(4) 3 is ne 4 3 is gt 2 3 is ge 3 3 is lessthan 4 3 is le 2 'b' is greaterthan 'a' s is callable s.upper is callable range is callable undefined is callable (s|e) is escaped s is escaped 'upper' is filter 'nope' is filter 'odd' is test 'nope' is test s is nope 1 is odd and 2 is even not 1 is odd s is string and i is number or no i is not none and i > 5 3 is == 3 'x' is in('xy') is true 1 is odd is true
range(3) range(3)|list range(1,4)|list range(5,0,-2)|list range(0) range(3)|length range(1000000) range(1,2,0)|list range('a') range(2.5) dict(a=1,b=2) dict(d,c=1)|length dict([('a',1)]) namespace(a=1).a namespace(a=1).b namespace(a=1)['a'] namespace({'a':2}).a strftime_now('%Y-%m-%d') strftime_now('%d %b %Y %H:%M:%S %A %B %j %p %I %y %e %-d %-m %% %a %U %W %w %u %V %G %c %x %X %D %F %T %f|%Z|%z') strftime_now('%Q') raise_exception('no') joiner(',')() cycler(1,2).next() lipsum2 loop loop.index self.x
''.__class__ ''.__class__.__mro__ d.__class__|default('x') nums.append(1) d.update({}) d.pop('a') d.clear d.setdefault nums.sort() s.format.__globals__ d._private s._x nums.index(1) nums.index(9) nums.count(1) nums.copy() (1,2).count(1) f.is_integer() i.bit_length() s() 5() none() d() d.a() s.nope()
s.upper(1) s.replace('a') s.join() s|upper(1) s|nope s|trim(1) s|default(1,2,3) s|default(default_value='a') s|replace(old='l',new='x') s|tojson(foo=1) nums|join(x=1) s.split(foo=1) d.get() d.get(key='a') dict(1) range() *nums max(1,2)
""".replace("\\\n", "\x00").split("\n")

PLAIN = ["{{ " + e.replace("\x00", "\\\n") + " }}" for line in EXPRESSIONS for e in line.split(" ") if e]
SPACED = r"""
'x' if yes else 'y'|'x' if no else 'y'|'x' if no|('x' if no) | default('d')|'a' if 0 else 'b' if 0 else 'c'|(1 if yes else 2) + 1
not yes|not none|not ''|not not 1|yes and 5|no and 5|0 or 'x'|'' or none|1 and 0 or 2|not 1 == 2|1 in nums|'x' in 'xyz'|'b' in d|1 in 'a'
'q' not in 'abc'|[1] in [[1]]|[1] in d|5 in 5|'' in 'a'|'a' in undefined|not 'a' in 'abc'|1 < 2 in [2]|'a' 'b' 'c'|'%s' % 1|'%s %s' % (1, 'a')
'%d' % 3.9|'%05.2f' % 3.14159|'%x %X %o' % (255, 255, 8)|'%r' % 'a'|'%(a)s' % {'a': 1}|'%%' % ()|'%s' % (1, 2)|'%s %s' % 1|'%5s;%-5s;' % ('a', 'b')
'%+d' % 5|'%e' % 12345.678|'%g' % 0.00001|'%g' % 100000|'%g' % 1000000.0|'%c' % 65|'%s' % undefined|'%s' % none|'%d' % 'a'|'%.2s' % 'abc'
'%s' % [1]|'abc' % ()|'abc' % 1|'abc' % [1]|'abc' % {}|'%*d' % (5, 3)|'%i' % yes|'%q' % 1|'%' % 1|'%#x' % 255|'% d' % 5|'%(a)s %(b)s' % {'a': 1}
nums is iterable|i is iterable|none is iterable|undefined is iterable|s is sequence|d is sequence|i is sequence|undefined is sequence
d.items() is sequence|s is string|d is mapping|nums is mapping|i is number|yes is number|yes is integer|f is float|i is float|yes is boolean
1 is true|yes is true|0 is false|none is none|undefined is none|undefined is defined|s is not defined|d.nope is defined|d.nope.x is defined
3 is odd|3 is even|'a' is odd|6 is divisibleby 3|6 is divisibleby(4)|1 is sameas 1|yes is sameas true|1 is sameas true|'a' is in 'abc'
'a' is in ['b']|3 is eq 3|3 is gt 2|3 is lessthan 4|s is callable|s.upper is callable|undefined is callable|'upper' is filter|'nope' is filter
'odd' is test|s is nope|1 is odd and 2 is even|not 1 is odd|s is string and i is number or no|i is not none and i > 5|3 is == 3|1 is odd is true
s is lower|'abc' is lower|'ABC' is upper|d.b is number|d.a.x[0] is odd|messages[0].role is string|none is not none|2 is odd or 3 is odd
- 5|-5 ** 2|2 ** 3 ** 2|1 + 2 * 3|1 + 2 ~ 3|(1 + 2) ~ 3|2 * 3 ~ 4|-1 | abs|1 - 1 | abs|1 if 0|not 0 and 1|1, 2|1,|()|'a' ~ 'b' + 'c'
nums | map('string') | join(' + ')|s[1 : 4]|s[ : : 2]|{ 'a' : 1 }['a']|{'a': 1}.a|[1, 2, 3][-1]|(1, 2) | length|'a' if d.nope is defined and d.nope else 'b'
{'a': 1, 'b': 2} | tojson|{'a': 1}.items() | list|[[1, 2], [3]] | map('length') | list|d.a.x | map('string') | join(',')|((((1))))|- - 1|+ 1
"{:>5};{:<5};{:^5}".format('a', 'b', 'c')|'{:05d} {:.2f} {:,} {:x} {:+d} {:%}'.format(42, 3.14159, 1234567, 255, 5, 0.5)|'{!r} {!s}'.format('a', 'b')
strftime_now('%d %b %Y %H:%M:%S %A %B %j %p %I %y %e %-d %-m %% %a %U %W %w %u %V %G;%c;%x %X %D %F %T %f;%Z;%z')|strftime_now('%Q')|strftime_now('%-I %-H %-j')
"it's o'clock".title()|'a b'.isidentifier()|' \t'.isspace()|s.split(', ')[0]|people | join(', ', attribute='name')|d | tojson(indent=2, separators=(', ', '='))
'a\
b'|"\u00e9\x41\101\N{BULLET}\q\\"|['a\n\'"', "it's", '"', '\\', 'é\x07\u2028']|('a', "b'") | string|'aaa bbbbbbbb c' | wordwrap(4)|'aaa bbbbbbbb c' | wordwrap(4, false)
'aaa   bbb ccc' | wordwrap(7)|'one two three four' | wordwrap(9, wrapstring='/')|'  lead ing' | wordwrap(4)
messages | selectattr('role', 'equalto', 'user') | list | length|messages | map(attribute='role') | join(' ')|messages[::-1] | map(attribute='role') | join(' ')
people | groupby('age')|people | selectattr('tags', 'defined') | map(attribute='name') | first|people | sort(attribute='age,name') | map(attribute='name') | join
u | length|u | list | length|u[1 : 3]|u | reverse|u | upper|u | capitalize|u | tojson|u | center(20)|u.split('\u200d') | length|u | truncate(4, true, '', 0)
dict(a=1).a|dict(**{'x': 1})|namespace(**d).b|range(*[1, 4]) | list|[1, 2, 3] | sum|'a'.join(['1', '2'])|'{}-{}'.format(*['a', 'b'])|s.replace(*['l', 'L'])
"""
for line in SPACED.strip("\n").replace("\\\n", "\x00").split("\n"):
    PLAIN += ["{{ " + e.replace("\x00", "\\\n") + " }}" for e in line.replace(" | ", " \x01 ").split("|") for e in [e.replace("\x01", "|")]]

TEMPLATES = [
    # white space
    "a\n{% if yes %}\nb\n{% endif %}\nc\n", "a\n  {% if yes %}  \n  b\n  {% endif %}\n\nc\n\n", "  {{ s }}\n  {{- s }}  {{ s -}}  \n x",
    "a {%- if yes %} b {%- endif %} c", "a {% if yes -%} b {% endif -%} c", "a\n  {%+ if yes %}\n  b{% endif +%}\nc", "x {# c #} y\n  {# c #}\nz {#- c -#} w",
    "a\n {%- set x = 1 -%}\n b{{ x }}", "{% raw %}{{ s }}{% if %}{% endraw %}|", "a\n  {% raw -%}\n {{ x }}\n {%- endraw %}\n b", "{# {{ s }} #}a", "a\r\nb\rc\n",
    "\n", "", "\n\n", "a\n\n\n", "{% if yes %}\n\n{% endif %}\n", " {% if yes %} {% endif %} ", "{{ s }}\n{{ s }}\n", "{% set x = 1 %}\n\n{{ x }}", "a{{ '}}' }}b{{ \"{%\" }}",
    "{{ {'a': {'b': 1}} }}", "{{ {'a': {'b': 1}}}}", "{{'{'}}{{ '%}' }}", "\u00a0{%- if yes -%}\u00a0x\u2003{%- endif -%}\u00a0y", "{% if yes -%}\n\n  x\n\n{%- endif %}\n\ny",
    "\t{% if yes %}\t\n\tx\n\t{% endif %}\t\n", "{%if yes%}a{%endif%}", "{%- for x in nums -%}\n  {{ x }}\n{%- endfor -%}\n", "{% for x in nums %}\n{{ x }}\n{% endfor %}\nend",
    "{% for x in nums %} {{ x }} {% endfor %}", "a  {{- ' b' -}}  c", "{{ s }}{# x\ny #}\n{{ s }}", "{#- a -#}\n  b", "x\n   {#- a #}   \n  b", "{% raw %}\n a\n{% endraw %}\nb",
    "   {%- raw %} a {% endraw -%}   b", "{% if yes %}a{% endif %}\n\n{% if yes %}b{% endif %}",
    # for
    "{% for x in nums %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }};{% endfor %}",
    "{% for x in [] %}a{% else %}none{% endfor %}", "{% for x in nums %}{% else %}none{% endfor %}", "{% for x in undefined %}a{% else %}none{% endfor %}", "{% for x in none %}a{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}", "{% for c in 'ab\U0001f600' %}{{ c }}.{% endfor %}", "{% for x in 5 %}{% endfor %}",
    "{% for a, b in [(1, 2), [3, 4], 'xy'] %}{{ a }}-{{ b }};{% endfor %}", "{% for a, b in [(1, 2, 3)] %}{% endfor %}", "{% for x in nums if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }}{{ loop.last }};{% endfor %}",
    "{% for x in nums if false %}a{% else %}none{% endfor %}", "{% for x in nums %}{% if loop.first %}{% continue %}{% endif %}{{ x }}{% if x == 1 %}{% break %}{% endif %}{% endfor %}",
    "{% for x in nums %}{{ loop.previtem }},{{ loop.nextitem }};{% endfor %}", "{% for x in nums %}{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }}{% endfor %}",
    "{% for x in nums %}{% for y in nums %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}", "{% set x = 9 %}{% for x in nums %}{{ x }}{% endfor %}{{ x }}",
    "{% set y = 0 %}{% for x in nums %}{% set y = y + x %}{{ y }}{% endfor %}{{ y }}", "{% for x in nums %}{% if loop.first %}{% set z = 1 %}{% endif %}{{ z }};{% endfor %}{{ z }}",
    "{% set ns = namespace(n=0) %}{% for x in nums %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}{{ ns }}", "{% set s.x = 1 %}", "{% set ns = namespace() %}{% set ns.a, b = 1, 2 %}{{ ns.a }}{{ b }}",
    "{% for item in [{'n': 1, 'c': [{'n': 2, 'c': []}]}] recursive %}{{ item.n }}{{ loop.depth }}{{ loop(item.c) }}{% endfor %}", "{% for x in nums %}{{ loop(nums) }}{% endfor %}",
    "{% for m in messages %}{% if m.role == 'user' %}U{% elif m.role == 'system' %}S{% else %}A{% endif %}{% endfor %}", "{% for x in nums %}{{ loop }}{% endfor %}{{ loop }}",
    "{% for m in messages %}{% if loop.index0 % 2 == 0 and not loop.last %}{{ m.role }}{% endif %}{% endfor %}", "{% for x in range(3) %}{{ x }}{% endfor %}", "{% for x in nums|sort|reverse %}{{ x }}{{ loop.last }}{% endfor %}",
    "{% set g = nums|map('string') %}{% for x in g %}{{ x }}{% endfor %}{% for x in g %}{{ x }}{% endfor %}", "{% set g = nums|select('odd') %}{{ g|list }}{{ g|list }}", "{% for x in nums|select('odd') %}{{ loop.length }}{{ x }}{% endfor %}",
    "{% for x in nums %}{% set nums = [] %}{{ x }}{% endfor %}{{ nums }}", "{% set ns = namespace(seen=[]) %}{% for x in [1,1,2] if x not in ns.seen %}{% set ns.seen = ns.seen + [x] %}{{ x }}{% endfor %}",
    "{% for x in nums %}{% for y in [1] %}{% break %}{% endfor %}{{ x }}{% endfor %}", "{% for x in nums: %}{{ x }}{% endfor %}", "{% for m in messages[1:] %}{{ loop.index }}{{ m.role }}{% endfor %}",
    "{% for loop in nums %}{% endfor %}", "{% for x in nums %}{{ loop['index'] }}{% endfor %}", "{% for (a, b) in [(1, 2)] %}{{ a }}{{ b }}{% endfor %}", "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% break %}", "{% for x in nums %}{% if x == 1 %}{% break %}{% endif %}{% else %}e{% endfor %}",
    # set, with, filter
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a = 1, 2 %}{{ a }}", "{% set a %}x{{ s }}{% endset %}{{ a }}|{{ a|length }}", "{% set a | upper | trim %} x {% endset %}{{ a }}", "{% set a = b = 1 %}", "{% set a %}{% set b = 1 %}{% endset %}{{ b }}",
    "{% with a = 1, b = 2 %}{{ a }}{{ b }}{% set c = 3 %}{% endwith %}{{ a }}{{ c }}", "{% with %}{% set i = 1 %}{{ i }}{% endwith %}{{ i }}", "{% set a = 1 %}{% with a = 2, b = a %}{{ b }}{% endwith %}", "{% filter upper %}x{{ s }}{% endfilter %}", "{% filter replace('l', 'L') | lower %}{{ s }}{% endfilter %}",
    "{% if no %}{% set q9 = 1 %}{% endif %}{{ q9 }}", "{% if yes %}{% set q9 = 1 %}{% endif %}{{ q9 }}", "{% if undefined %}a{% elif list %}b{% elif 0 %}c{% else %}d{% endif %}", "{% if yes %}{% else %}{% endif %}x", "{% set true = 1 %}", "{% print s %}", "{% do 1 %}", "{% set x = 1 if no %}{{ x is defined }}",
    "{% generation %}a{{ s }}{% set x = 1 %}{% endgeneration %}{{ x }}", "{%- generation -%} a {%- endgeneration -%} b", "{% for x in nums %}{% generation %}{{ x }}{{ loop.index }}{% endgeneration %}{% endfor %}",
    # macros
    "{% macro m(a, b=2, c=a) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }};{{ m(1, 3) }};{{ m(1, c=5) }};{{ m(b=1, a=2) }};{{ m() }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}", "{% macro m() %}{{ caller() }}!{% endmacro %}{% call m() %}hi{% endcall %}", "{% macro m() %}{{ caller(1) }}{% endmacro %}{% call(x) m() %}{{ x }}{{ s }}{% endcall %}", "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}",
    "{% set g = 1 %}{% macro m() %}{{ g }}{% set g2 = 5 %}{% endmacro %}{% set g = 2 %}{{ m() }}{{ g2 }}", "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}", "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(1) }}",
    "{% for x in nums %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}", "{% macro m(x) %}  {{ x }}  {% endmacro %}[{{ m('a') }}]", "{% macro m(x) -%}  {{ x }}  {%- endmacro %}[{{ m('a')|trim }}]", "{% macro m(x) %}{% for y in x %}{{ y }}{% endfor %}{% endmacro %}{{ m(nums) ~ 'z' }}",
    "{% macro m(a, b) %}{{ a }}{{ b|default('D') }}{% endmacro %}{{ m(1) }}{{ m }}", "{% macro m(a) %}{% if a is mapping %}{% for k, v in a|dictsort %}{{ k }}:{{ m(v) }},{% endfor %}{% elif a is iterable and a is not string %}[{% for v in a %}{{ m(v) }}{% endfor %}]{% else %}{{ a|tojson }}{% endif %}{% endmacro %}{{ m(d) }}",
    "{{ m(1) }}{% macro m(x) %}{{ x }}{% endmacro %}", "{% macro m(x=undefined) %}{{ x is defined }}{% endmacro %}{{ m() }}", "{% macro m(a=1, b) %}{% endmacro %}", "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}",
    "{% macro m(messages) %}{{ messages|length }}{% endmacro %}{{ m([1]) }}", "{% set x = 'o' %}{% macro m() %}{% set x = 'i' %}{{ x }}{% endmacro %}{{ m() }}{{ x }}", "{% macro m() %}{{ loop.index }}{% endmacro %}{% for x in nums %}{{ m() }}{% endfor %}",
    # errors of syntax
    "{{ }}", "{{ s", "{% if yes %}", "{% endif %}", "{% foo %}", "{{ s | }}", "{{ (s }}", "{{ s) }}", "{{ 'a }}", "{% for x nums %}{% endfor %}", "{{ a b }}", "{{ 1 + }}", "{# x", "{% raw %}x", "{{ s.1x }}", "{{ s..x }}", "{{ [1, }}", "{{ {1} }}", "{{ $ }}", "{% set = 1 %}", "{% set x %}", "{{ f(a=1, 2) }}", "{{ f(*a, *b) }}",
    "{% include 'x' %}", "{% extends 'x' %}", "{% import 'x' as y %}", "{% if %}{% endif %}", "{{ x is }}", "{{ not }}", "{{ 'a' if }}", "{{ s[] }}", "{{ 1x }}", "{% for x in nums %}{% endif %}", "{% macro %}{% endmacro %}", "{{ '\\x4' }}", "{{ '\\N{NOPE}' }}", "{{ d.'a' }}", "{{ ~1 }}", "{{ 1 is not }}", "{{ a = 1 }}",
    "{% if yes %}{% elif %}{% endif %}", "{% if yes %}a{% else %}b{% else %}c{% endif %}", "{% if yes %}a{% else %}b{% elif no %}c{% endif %}",
]


def small():
    cases = []
    for source in PLAIN + TEMPLATES:
        expected = render(source, DATA)
        if expected is None or " at 0x" not in expected and "<built-in" not in expected and "<function" not in expected:
            cases.append([source, expected])
    return cases


def call(name, arguments, number):
    return {"type": "function", "id": "call%05d" % number, "function": {"name": name, "arguments": arguments}}


TOOL = {"type": "function", "function": {"name": "find", "description": "Finds \u00fc \"it\".\nFast.", "parameters": {
    "type": "object", "properties": {"number": {"type": "string", "description": "N"}, "deep": {"type": "array", "items": {"type": "integer"}},
                                     "how": {"type": "string", "enum": ["a", "b"]}}, "required": ["number"]}}}
U, A = (lambda text: {"role": "user", "content": text}), (lambda text, **more: {"role": "assistant", "content": text, **more})
S, T = (lambda text: {"role": "system", "content": text}), (lambda text, n=1: {"role": "tool", "name": "find", "tool_call_id": "call%05d" % n, "content": text})
CONVERSATIONS = [
    ([U("Hello")], None), ([U("Hello"), A("Hi!")], None), ([S("Be short."), U("Hello"), A("Hi!"), U("And?"), A("Rain.")], None),
    ([U(" \n x \u00e9\U0001f600 \n"), A("\n y \n")], None), ([S(""), U(""), A("")], None), ([U("Where?")], [TOOL]), ([S("Short."), U("Where?"), A("Here.")], [TOOL]),
    ([U("Where?"), A("", tool_calls=[call("find", {"number": "A7", "deep": [1, 2.5, None, True]}, 1)]), T('{"town": "old"}'), A("In town.")], [TOOL]),
    ([U("Where?"), A("Let me see.", tool_calls=[call("find", {"number": "A"}, 1), call("find", {}, 2)]), T("x"), T("y", 2), A("Both."), U("Thanks")], [TOOL]),
    ([U("2+2?"), A("4", reasoning_content="Easy.\nYes.")], None), ([U("2+2?"), A("4", reasoning_content="Easy."), U("3+3?"), A("6", reasoning_content="Add.")], None),
    ([U("2+2?"), A("<think>\nHm\n</think>\n\n4"), U("3+3?"), A("<think>\nAdd\n</think>\n\n6")], None), ([U("a"), U("b")], None), ([A("a"), U("b")], None),
    ([U([{"type": "text", "text": "in parts"}, {"type": "text", "text": "two"}]), A([{"type": "text", "text": "answer"}])], None),
    ([U("<|im_end|><|eot_id|></s>[INST]<end_of_turn>"), A("x <|im_start|>")], None), ([S("a"), S("b"), U("c"), A("d")], None), ([U("q"), A(None, tool_calls=[call("find", '{"number": "A"}', 1)])], [TOOL]),
]


EACH = "{% for m in messages %}{{ m.role }}:"
SEEN = [
    ("{% endfor %}", None), ("{{ m.content }}{{ m.name }}{{ m.tool_call_id }}|{% endfor %}", None),
    ("{{ m.content is none }}{{ m.content is defined }}{{ m.content is string }}{{ 'content' in m }}{{ m.keys() | list }}|{% endfor %}", None),
    ("{{ m.reasoning_content }}{{ m.content }}|{% endfor %}", None), ("{{ m.thinking }}{{ m.content }}|{% endfor %}", None),
    ("{{ m.mood | tojson }}{{ m['extra'].a[0] }}{{ m.content }}|{% endfor %}", None),
    ("{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}[{{ p.type }}]{{ p.text }}{% endfor %}{% endif %}|{% endfor %}", None),
    ("{% for c in m.tool_calls or [] %}{{ c.id }}{{ c.type }}{{ c.function.name }}{% if c.function.arguments is string %}{{ c.function.arguments }}"
     "{% else %}{{ c.function.arguments | tojson }}{% endif %}{{ c | tojson }}{% endfor %}{{ m.content }}|{% endfor %}", None),
    ("{{ m.content }}{{ enable_thinking }}{{ more.x | tojson }}|{% endfor %}", {"enable_thinking": False, "more": {"x": [1, None, "a"]}}),
    ("{{ m.content }}{{ bos_token }}{{ eos_token is defined }}|{% endfor %}", {"bos_token": "[B]"}),
]
LINES = [
    [U("a"), A("b")], [U("a"), A("b", reasoning_content="r")], [U("a"), A("b", thinking="r")], [U("a"), A("b", reasoning_content="")],
    [dict(U("a"), name="Bo"), A("b", mood={"x": 1.0}, extra={"a": [2]})], [U([{"type": "text", "text": "c"}, {"type": "text", "text": "d"}]), A("b")],
    [U("q"), A(None, tool_calls=[call("find", {"n": "\u00e9", "deep": [1, 2.5, None]}, 1)]), T("x"), A("b")],
    [U("q"), {"role": "assistant", "tool_calls": [call("find", '{"n":  "A"}', 1), {"function": {"name": "g", "arguments": {}}, "index": 0}]},
     {"role": "tool", "content": "x"}, A("b")],
    [U("q"), A("", tool_calls=[call("find", {}, 1)]), dict(T("x"), name="find"), A("b")],
    [{"role": "developer", "content": "s"}, U("a"), A("b")], [U("q"), A("", tool_calls=[call("find", {}, 1)]), {"role": "function", "name": "f", "content": "x"}, A("b")],
]


def seen():
    """Without what Fettle does otherwise on purpose: reasoning goes by the name that the template reads, parts are never Python's lists."""
    cases = []
    for source, arguments in SEEN:
        for messages in LINES:
            text = render(EACH + source, dict({"messages": messages, "tools": None, "documents": None, "add_generation_prompt": False,
                                               "bos_token": "<s>", "eos_token": "</s>"}, **arguments or {}))
            named = [key for m in messages for key in ("reasoning_content", "thinking") if m.get(key)]
            if text is not None and "[{'" not in text and (not named or named[0] in source or not ("m.reasoning_content" in source or "m.thinking" in source)):
                cases.append([EACH + source, {"messages": messages}, arguments, text])
    return cases


def public(name, directory):
    result = []
    for folder, _, files in sorted(os.walk(directory)):
        for file in sorted(files):
            if not file.endswith(".jinja"):
                continue
            path = os.path.join(folder, file)
            with open(path, newline="") as f:
                source = f.read()
            renderings = []
            for messages, tools in CONVERSATIONS:
                for generate in (False, True):
                    text = render(source, {"messages": messages, "tools": tools, "documents": None, "add_generation_prompt": generate,
                                           "bos_token": "<s>", "eos_token": "</s>"})
                    renderings.append(None if text is None else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16])
            result.append({"source": name, "path": os.path.relpath(path, directory),
                           "sha256": hashlib.sha256(source.encode()).hexdigest(), "renderings": renderings})
    return result


def write(name, value):
    with open(os.path.join(OUT, name), "w") as f:
        f.write(value)


if __name__ == "__main__":
    os.makedirs(OUT, exist_ok=True)
    cases = small()
    write("jinja.json", '{"data": %s,\n"cases": [\n%s]}\n' % (json.dumps(DATA), ",\n".join(json.dumps(c) for c in cases)))
    write("messages.json", "[\n%s]\n" % ",\n".join(json.dumps(c) for c in seen()))
    print(len(cases), "small cases, of them refused:", sum(c[1] is None for c in cases))
    if len(sys.argv) > 1:
        found = [t for a in sys.argv[1:] for t in public(*a.split("=", 1))]
        write("public.json", '{"conversations": %s,\n"templates": [\n%s]}\n' % (
            json.dumps([{"messages": m, "tools": t} for m, t in CONVERSATIONS]), ",\n".join(json.dumps(t) for t in found)))
        print(len(found), "public templates,", sum(len(t["renderings"]) for t in found), "renderings, of them refused:",
              sum(r is None for t in found for r in t["renderings"]))
